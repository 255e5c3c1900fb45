"""What is published can be recomputed: every score from the kept predictions, by scikit-learn."""

from __future__ import annotations

from pathlib import Path

import pytest
from sklearn import metrics

from steelyard import store
from steelyard.record import Prediction, Record

RESULTS = Path(__file__).resolve().parents[2] / "results"
RUNS = sorted({path.parent for path in RESULTS.glob("*/*.json")})
EXACT = 1e-12


def measured() -> list[tuple[Path, Record]]:
    return [
        (folder, record)
        for folder in RUNS
        if folder.name != "local"
        for run in store.read_runs(folder)
        for record in run.records
        if record.outcome == "ok"
    ]


def recomputed(metric: str, kept: tuple[Prediction, ...]) -> float | None:
    """Return a metric by scikit-learn; None for those that need scores."""
    truth, said = [p.expected for p in kept], [p.answer for p in kept]
    if metric == "accuracy":
        return float(metrics.accuracy_score(truth, said))
    if metric == "macro-f1":
        f1: float = metrics.f1_score(truth, said, average="macro", zero_division=0.0)  # pyright: ignore[reportArgumentType]
        return f1
    if metric == "mcc":
        return float(metrics.matthews_corrcoef(truth, said))
    return None


@pytest.mark.skipif(not RUNS, reason="results/ is not beside an installed wheel's tests")
def test_every_published_score_is_what_scikit_learn_says_of_the_kept_predictions() -> None:
    checked = 0
    for folder, record in measured():
        kept = store.read_predictions(folder, str(record.predictions_sha256))
        for score in record.scores:
            expected = recomputed(score.metric, kept)
            if expected is not None:
                assert score.value == pytest.approx(expected, abs=EXACT), record.cell.id
                assert score.n == len(kept)
                checked += 1
    assert checked


@pytest.mark.skipif(not RUNS, reason="results/ is not beside an installed wheel's tests")
def test_published_predictions_are_of_one_set_of_items_a_task() -> None:
    truth: dict[tuple[str, str], str] = {}
    for folder, record in measured():
        for kept in store.read_predictions(folder, str(record.predictions_sha256)):
            key = (record.cell.task, kept.id)
            assert truth.setdefault(key, kept.expected) == kept.expected
