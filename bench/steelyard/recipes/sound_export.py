"""What the recipes of sound models share: features of train items, linear graphs, facts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from steelyard.api import BuildRequest, TrainingSet
from steelyard.errors import PrepareError

FACTS, GRAPH = "sound.json", "sound.onnx"
OPSET = 17
IR_VERSION = 9  # of the time of opset 17 to 19; runtimes refuse a newer one than they know
RATE = 16_000


def features(
    request: BuildRequest, training: TrainingSet, kind: str, segments: int = 1
) -> dict[str, Any]:
    """Return what a model is shown of each train item, by id, exactly as its session makes it."""
    from steelyard.arrays import Arrays
    from steelyard.backends.ort.sound_features import maker

    if request.arrays is None:
        raise PrepareError("the task has no sounds: this recipe serves modality 'audio'")
    rows = Arrays(request.arrays)
    make = maker(kind, RATE, segments)  # type: ignore[arg-type]  # a recipe names a kind it knows
    places = {
        item.id: item.array.row
        for fold in range(training.folds)
        for item in training.train_items(fold)
        if item.array
    }
    return {name: make(rows[row]) for name, row in places.items()}


def write_linear(
    folder: Path, coefficients: Any, intercept: Any, facts: Mapping[str, object]
) -> None:
    """Write the artefact of a linear model: features float32[B, F] -> scores float32[B, C].

    `coefficients` are [F, C], `intercept` [C].
    """
    from onnx import helper, numpy_helper

    nodes = [
        helper.make_node("MatMul", ["features", "coefficients"], ["sums"]),
        helper.make_node("Add", ["sums", "intercept"], ["scores"]),
    ]
    constants = [
        numpy_helper.from_array(coefficients, "coefficients"),
        numpy_helper.from_array(intercept, "intercept"),
    ]
    shapes = ["B", coefficients.shape[0]], ["B", coefficients.shape[1]]
    (folder / GRAPH).write_bytes(model(nodes, constants, *shapes))
    write_facts(folder, facts)


def model(nodes: Any, constants: Any, shown: list[Any], told: list[Any]) -> bytes:
    """Return an ONNX model from `features`, of shape `shown`, to `scores`, of shape `told`."""
    from onnx import TensorProto, checker, helper

    inputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT, shown)]
    outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, told)]
    made = helper.make_model(
        helper.make_graph(nodes, "sound", inputs, outputs, constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="steelyard",
    )
    checker.check_model(made)
    return bytes(made.SerializeToString(deterministic=True))


def write_facts(folder: Path, facts: Mapping[str, object]) -> None:
    """Write `sound.json`."""
    (folder / FACTS).write_bytes(msgspec.json.encode({"rate": RATE, **facts}, order="sorted"))
