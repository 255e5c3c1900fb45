"""Ensembles of trees of scikit-learn as ONNX, each item going the way that it went in training.

skl2onnx 1.20 fails on boosted trees with onnx 1.23, and rounds thresholds to the nearest value of
32 bits: an item that lies on one would go the other way. Here a threshold of 64 bits becomes the
nearest one of 32 bits below it; items have values of 32 bits, so none lies between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

INPUT, OUTPUT = "features", "probabilities"
OPSET, TREES_OPSET = 17, 3
IR_VERSION = 9  # of the time of opset 17 to 19; runtimes refuse a newer one than they know


class Tree(Struct, frozen=True, kw_only=True):
    """A tree's nodes as numpy arrays, a row a node; `weights` are (nodes, classes), of leaves."""

    leaf: Any
    feature: Any
    threshold: Any
    left: Any
    right: Any
    weights: Any


class Ensemble(Struct, frozen=True, kw_only=True):
    """Trees whose weights, added to `base`, are probabilities, or such before a softmax."""

    trees: tuple[Tree, ...]
    base: tuple[float, ...]
    softmax: bool

    @property
    def nodes(self) -> int:
        """Return how many nodes all trees have."""
        return sum(len(tree.leaf) for tree in self.trees)


def of_forest(model: Any) -> Ensemble:
    """Return a fitted forest's trees: each leaf gives its share of each class, a tree one vote."""
    trees = []
    for fitted in model.estimators_:
        nodes = fitted.tree_
        shares = nodes.value[:, 0, :]
        trees.append(
            Tree(
                leaf=nodes.children_left < 0,
                feature=nodes.feature,
                threshold=nodes.threshold,
                left=nodes.children_left,
                right=nodes.children_right,
                weights=shares / shares.sum(axis=1, keepdims=True) / len(model.estimators_),
            )
        )
    return Ensemble(trees=tuple(trees), base=(0.0,) * len(model.classes_), softmax=False)


def of_boosting(model: Any) -> Ensemble:
    """Return the trees of a fitted HistGradientBoostingClassifier on numbers without gaps.

    Of two classes it has one tree a round: that of the second, the first having always zero.
    """
    import numpy as np

    classes = len(model.classes_)
    base = np.zeros(classes)
    base[-len(model._baseline_prediction[0]) :] = model._baseline_prediction[0]  # noqa: SLF001
    trees = []
    for stage in model._predictors:  # noqa: SLF001  # there is no public way
        for number, predictor in enumerate(stage, start=classes - len(stage)):
            weights = np.zeros((len(predictor.nodes), classes))
            weights[:, number] = predictor.nodes["value"]
            trees.append(_boosted(predictor.nodes, weights))
    return Ensemble(trees=tuple(trees), base=tuple(base.tolist()), softmax=True)


def _boosted(nodes: Any, weights: Any) -> Tree:
    return Tree(
        leaf=nodes["is_leaf"].astype(bool),
        feature=nodes["feature_idx"],
        threshold=nodes["num_threshold"],
        left=nodes["left"],
        right=nodes["right"],
        weights=weights,
    )


def graph(ensemble: Ensemble, columns: int) -> bytes:
    """Return the ONNX model: features float32[B, columns] -> probabilities float32[B, classes]."""
    from onnx import TensorProto, checker, helper

    raw = "sums" if ensemble.softmax else OUTPUT
    attributes: dict[str, Any] = {**_splits(ensemble.trees), **_leaves(ensemble.trees)}
    nodes = [
        helper.make_node(
            "TreeEnsembleRegressor",
            [INPUT],
            [raw],
            domain="ai.onnx.ml",
            n_targets=len(ensemble.base),
            base_values=list(ensemble.base),
            **attributes,
        )
    ]
    if ensemble.softmax:
        nodes.append(helper.make_node("Softmax", [raw], [OUTPUT], axis=1))
    given = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["batch", columns])
    got = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", len(ensemble.base)])
    versions = (helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", TREES_OPSET))
    made = helper.make_model(
        helper.make_graph(nodes, "trees", [given], [got]),
        opset_imports=versions,
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


def _splits(trees: Sequence[Tree]) -> dict[str, list[Any]]:
    import numpy as np

    leaf = np.concatenate([tree.leaf for tree in trees])

    def of(name: str) -> list[int]:
        joined = np.concatenate([getattr(tree, name).astype(np.int64) for tree in trees])
        return [int(value) for value in np.where(leaf, 0, joined)]

    threshold = below(np.concatenate([tree.threshold for tree in trees]))
    return {
        "nodes_treeids": [number for number, tree in enumerate(trees) for _ in tree.leaf],
        "nodes_nodeids": [place for tree in trees for place in range(len(tree.leaf))],
        "nodes_featureids": of("feature"),
        "nodes_modes": ["LEAF" if one else "BRANCH_LEQ" for one in leaf],
        "nodes_values": [float(value) for value in np.where(leaf, 0, threshold)],
        "nodes_truenodeids": of("left"),
        "nodes_falsenodeids": of("right"),
    }


def _leaves(trees: Sequence[Tree]) -> dict[str, list[Any]]:
    """Return what leaves give: only what is not zero, but each leaf something."""
    import numpy as np

    rows: list[tuple[int, int, int, float]] = []
    for number, tree in enumerate(trees):
        for place in np.flatnonzero(tree.leaf):
            given = np.flatnonzero(tree.weights[place])
            rows += [
                (number, int(place), int(target), float(tree.weights[place, target]))
                for target in (given if given.size else [0])
            ]
    names = ("target_treeids", "target_nodeids", "target_ids", "target_weights")
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
