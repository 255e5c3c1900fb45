"""Boosted trees of scikit-learn as ONNX.

skl2onnx 1.20 gives onnx flags of another type than onnx 1.23 takes for these trees. They are also
rounded: a threshold of 64 bits is put here to the nearest one of 32 bits below it, so that every
value of 32 bits goes the way that it went in training.
"""

from __future__ import annotations

from typing import Any

from steelyard.backends.ort.series_rows import FORECAST, HISTORY
from steelyard.recipes.series_data import IR_VERSION, OPSET

TREES_OPSET = 3


def graph(model: Any, columns: int) -> bytes:
    """Return the ONNX model: float32[rows, columns] -> float32[rows, 1].

    `model` is a fitted HistGradientBoostingRegressor without categories, on finite values.
    """
    from onnx import TensorProto, checker, helper

    trees = [step[0].nodes for step in model._predictors]  # noqa: SLF001  # skl2onnx's way, too
    attributes: dict[str, Any] = {
        "n_targets": 1,
        "base_values": [float(model._baseline_prediction.item())],  # noqa: SLF001
        **_splits(trees),
        **_leaves(trees),
    }
    node = helper.make_node(
        "TreeEnsembleRegressor", [HISTORY], [FORECAST], domain="ai.onnx.ml", **attributes
    )
    made = helper.make_model(
        helper.make_graph(
            [node],
            "series-boosting",
            [helper.make_tensor_value_info(HISTORY, TensorProto.FLOAT, [None, columns])],
            [helper.make_tensor_value_info(FORECAST, TensorProto.FLOAT, [None, 1])],
        ),
        opset_imports=[
            helper.make_opsetid("", OPSET),
            helper.make_opsetid("ai.onnx.ml", TREES_OPSET),
        ],
        ir_version=IR_VERSION,
        producer_name="steelyard",
    )
    checker.check_model(made)
    return bytes(made.SerializeToString(deterministic=True))


def below(threshold: Any) -> Any:
    """Return the largest float32 that is no more than each float64."""
    import numpy as np

    near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)


def _splits(trees: list[Any]) -> dict[str, list[Any]]:
    import numpy as np

    leaf = np.concatenate([nodes["is_leaf"] for nodes in trees]).astype(bool)
    threshold = below(np.concatenate([nodes["num_threshold"] for nodes in trees]))

    def of(name: str) -> list[int]:
        joined = np.concatenate([nodes[name].astype(np.int64) for nodes in trees])
        return [int(value) for value in np.where(leaf, 0, joined)]

    return {
        "nodes_treeids": [tree for tree, nodes in enumerate(trees) for _ in nodes],
        "nodes_nodeids": [place for nodes in trees for place in range(len(nodes))],
        "nodes_featureids": of("feature_idx"),
        "nodes_modes": ["LEAF" if one else "BRANCH_LEQ" for one in leaf],
        "nodes_values": [float(value) for value in np.where(leaf, 0, threshold)],
        "nodes_truenodeids": of("left"),
        "nodes_falsenodeids": of("right"),
    }


def _leaves(trees: list[Any]) -> dict[str, list[Any]]:
    found = [
        (tree, place, float(node["value"]))
        for tree, nodes in enumerate(trees)
        for place, node in enumerate(nodes)
        if node["is_leaf"]
    ]
    return {
        "target_treeids": [tree for tree, _, _ in found],
        "target_nodeids": [place for _, place, _ in found],
        "target_ids": [0] * len(found),
        "target_weights": [weight for _, _, weight in found],
    }
