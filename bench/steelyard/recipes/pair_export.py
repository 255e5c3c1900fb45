"""Write a trained judge of pairs: its facts as JSON, the model as ONNX by skl2onnx."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from steelyard.backends.ort.pair_features import Rarity

OPSET = 17
OPSET_ML = 3
IR_VERSION = 9  # of the time of opset 17 to 19; runtimes refuse a newer one than they know


def write(folder: Path, model: Any, rarity: Rarity) -> int:
    """Write the artefact and return the number of its trained parameters."""
    from steelyard.backends.ort.pair_features import FEATURES

    labels = [str(label) for label in model.classes_]
    facts = {"labels": labels, "features": FEATURES, "rarity": rarity}
    (folder / "pair.json").write_bytes(msgspec.json.encode(facts, order="sorted"))
    (folder / "pair.onnx").write_bytes(graph(model, len(FEATURES)))
    return parameters(model) + len(rarity.words)


def graph(model: Any, width: int) -> bytes:
    """Return the ONNX model: features float32[n, width] -> scores float32[n, labels].

    Scores are probabilities. skl2onnx's output of labels is left out: labels stand in the facts.
    """
    from onnx import checker, utils
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    convert: Any = to_onnx  # its own types say neither what it takes nor what it returns
    made = convert(
        model,
        initial_types=[("features", FloatTensorType([None, width]))],
        options={id(model): {"zipmap": False}},
        target_opset={"": OPSET, "ai.onnx.ml": OPSET_ML},
    )
    probabilities = made.graph.output[1].name
    cut = utils.Extractor(made).extract_model(["features"], [probabilities])
    for node in cut.graph.node:
        node.output[:] = ["scores" if one == probabilities else one for one in node.output]
    cut.graph.output[0].name = "scores"
    cut.graph.name, cut.ir_version, cut.producer_name = "pair", IR_VERSION, "steelyard"
    cut.ClearField("producer_version")
    checker.check_model(cut)
    return bytes(cut.SerializeToString(deterministic=True))


def parameters(model: Any) -> int:
    """Return how many numbers training set: splits and leaves, or coefficients and scales."""
    trees = getattr(model, "estimators_", None)
    if trees is not None:
        return sum(2 * int(tree.tree_.node_count) for tree in trees.ravel())
    scaler, linear = (step for _, step in model.steps)
    return int(2 * scaler.mean_.size + linear.coef_.size + linear.intercept_.size)
