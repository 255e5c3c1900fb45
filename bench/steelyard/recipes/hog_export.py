"""Write a trained machine on gradient histograms: facts, and projection and kernel as ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from steelyard.recipes.hog_kernel import Trained

OPSET = 17
IR_VERSION = 9  # of the time of opset 17 to 19; runtimes refuse a newer one than they know


def write(folder: Path, trained: Trained, grid: Any) -> None:
    """Write the artefact of one fold."""
    from steelyard.backends.ort.hog import FACTS, GRAPH, Facts
    from steelyard.backends.ort.hog_features import VERSION

    facts = Facts(labels=trained.labels, version=VERSION, grid=grid)
    (folder / FACTS).write_bytes(msgspec.json.encode(facts, order="sorted"))
    (folder / GRAPH).write_bytes(graph(trained))


def graph(trained: Trained) -> bytes:
    """Return the ONNX model: features float32[B, F] -> scores float32[B, C].

    The kernel is exp(-gamma |p - v|^2), with |p - v|^2 = |p|^2 - 2 p.v + |v|^2, 0 at least.
    """
    from onnx import TensorProto, checker, helper

    rows, labels = len(trained.projection.mean), len(trained.labels)
    inputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["B", rows])]
    outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["B", labels])]
    made = helper.make_model(
        helper.make_graph(_nodes(), "hog-svm", inputs, outputs, _constants(trained)),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="steelyard",
    )
    checker.check_model(made)
    return bytes(made.SerializeToString(deterministic=True))


def _nodes() -> list[Any]:
    from onnx import helper

    steps = [
        ("Sub", ["features", "mean"], "centred"),
        ("MatMul", ["centred", "components"], "points"),
        ("MatMul", ["points", "vectors_twice"], "products"),
        ("Sub", ["norms", "products"], "partial"),
        ("Add", ["partial", "squares"], "signed"),
        ("Max", ["signed", "zero"], "distances"),
        ("Mul", ["distances", "minus_gamma"], "exponents"),
        ("Exp", ["exponents"], "kernel"),
        ("MatMul", ["kernel", "coefficients"], "sums"),
        ("Add", ["sums", "intercept"], "scores"),
    ]
    nodes = [helper.make_node(kind, given, [made]) for kind, given, made in steps]
    squares = helper.make_node("ReduceSumSquare", ["points"], ["squares"], axes=[1], keepdims=1)
    return [*nodes[:2], squares, *nodes[2:]]


def _constants(trained: Trained) -> list[Any]:
    import numpy as np
    from onnx import numpy_helper

    vectors = trained.vectors
    named = {
        "mean": trained.projection.mean,
        "components": trained.projection.components,
        "vectors_twice": np.ascontiguousarray(2 * vectors.T),
        "norms": (vectors.astype(np.float64) ** 2).sum(axis=1)[None].astype(np.float32),
        "zero": np.zeros(1, np.float32),
        "minus_gamma": np.array([-trained.projection.gamma], np.float32),
        "coefficients": trained.coefficients,
        "intercept": trained.intercept,
    }
    return [numpy_helper.from_array(value, name) for name, value in named.items()]
