"""Ensembles written as ONNX say what scikit-learn says, also of items that lie on a threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.export
ensemble = pytest.importorskip("sklearn.ensemble")
pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

from steelyard.recipes import tree_graph  # noqa: E402  # after what it needs

DRAW = np.random.default_rng(0)
# Tenths are no binary fractions: as float32 and as float64 they differ, and midpoints are hit.
ROWS = (DRAW.integers(-9, 9, (150, 4)) / 10).astype(np.float32)
ON_THE_WAY = (DRAW.integers(-19, 19, (400, 4)) / 20).astype(np.float32)


def said(written: tree_graph.Ensemble, rows: Any) -> Any:
    session = ort.InferenceSession(tree_graph.graph(written, rows.shape[1]))
    return session.run([tree_graph.OUTPUT], {tree_graph.INPUT: rows})[0]


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("kind", ["RandomForestClassifier", "ExtraTreesClassifier"])
def test_forests_vote_as_in_scikit_learn(kind: str, classes: int) -> None:
    labels = (ROWS.sum(axis=1) * 4).astype(int) % classes
    model = getattr(ensemble, kind)(15, random_state=0).fit(ROWS, labels)

    written = tree_graph.of_forest(model)

    for rows in (ROWS, ON_THE_WAY):
        assert said(written, rows) == pytest.approx(model.predict_proba(rows), abs=1e-5)
    assert written.nodes == sum(tree.tree_.node_count for tree in model.estimators_)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_boosted_trees_add_up_as_in_scikit_learn(classes: int) -> None:
    labels = (ROWS.sum(axis=1) * 4).astype(int) % classes
    model = ensemble.HistGradientBoostingClassifier(max_iter=7, min_samples_leaf=3).fit(
        ROWS, labels
    )

    written = tree_graph.of_boosting(model)

    for rows in (ROWS, ON_THE_WAY):
        assert said(written, rows) == pytest.approx(model.predict_proba(rows), abs=1e-5)


def test_a_threshold_never_grows_when_it_loses_digits() -> None:
    thresholds = np.concatenate([DRAW.normal(size=1000), [0.1, -0.1, 0.0, 2.0]])

    found = tree_graph.below(thresholds)

    assert found.dtype == np.float32
    assert np.all(found <= thresholds)
    assert np.all(np.nextafter(found, np.float32(np.inf)) > thresholds)
