"""Write a trained linear model: n-gram tables, idf weights and the layer as ONNX.

What skl2onnx makes of a TF-IDF pipeline is not exact: its in-graph tokeniser splits otherwise than
scikit-learn and has no `char_wb`. So n-grams are counted outside of the graph, and the graph holds
what can be held exactly: gather rows, weigh, sum, add the intercept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from steelyard.recipes.heads import columns
from steelyard.recipes.tfidf_features import Weighted

OPSET = 17
IR_VERSION = 9  # of the time of opset 17 to 19; runtimes refuse a newer one than they know


def write(
    folder: Path, parts: list[Weighted], model: Any, labels: list[str], *, sublinear: bool
) -> int:
    """Write the artefact and return the number of its trained parameters."""
    coefficients, intercept = columns(model, labels)
    _tables(folder, parts)
    (folder / "linear.json").write_bytes(_facts(parts, labels, sublinear=sublinear))
    (folder / "linear.onnx").write_bytes(graph(coefficients, intercept))
    return int(model.coef_.size + model.intercept_.size)


def graph(coefficients: Any, intercept: Any) -> bytes:
    """Return the ONNX model: ids int64[n], weights float32[n] -> scores float32[C]."""
    from onnx import TensorProto, checker, helper, numpy_helper

    nodes = [
        helper.make_node("Gather", ["coefficients", "ids"], ["rows"], axis=0),
        # A vector times a matrix is the weighted sum of the rows.
        helper.make_node("MatMul", ["weights", "rows"], ["sums"]),
        helper.make_node("Add", ["sums", "intercept"], ["scores"]),
    ]
    inputs = [
        helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"]),
        helper.make_tensor_value_info("weights", TensorProto.FLOAT, ["n"]),
    ]
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [len(intercept)])
    constants = [
        numpy_helper.from_array(coefficients, "coefficients"),
        numpy_helper.from_array(intercept, "intercept"),
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "linear", inputs, [scores], constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="steelyard",
    )
    checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _tables(folder: Path, parts: list[Weighted]) -> None:
    import numpy as np

    for number, part in enumerate(parts):
        # JSON, because it escapes every character that an n-gram may hold and loads in C.
        (folder / f"vocabulary-{number}.json").write_bytes(msgspec.json.encode(part.vocabulary))
        np.save(folder / f"idf-{number}.npy", part.idf, allow_pickle=False)


def _facts(parts: list[Weighted], labels: list[str], *, sublinear: bool) -> bytes:
    families = [
        {
            "analyser": part.ngrams.analyser,
            "shortest": part.ngrams.shortest,
            "longest": part.ngrams.longest,
            "sublinear": sublinear,
            "vocabulary": f"vocabulary-{number}.json",
            "idf": f"idf-{number}.npy",
        }
        for number, part in enumerate(parts)
    ]
    return msgspec.json.encode({"labels": labels, "families": families}, order="sorted")
