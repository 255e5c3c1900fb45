"""The published verdicts, checked pair by pair against statistics made elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy import stats as reference

from steelyard import catalog, store, verdict
from steelyard.record import Prediction, Record

PUBLISHED = Path(__file__).resolve().parents[2] / "results" / "default"


def load(record: Record) -> tuple[Prediction, ...] | None:
    kept = record.predictions_sha256
    return store.read_predictions(PUBLISHED, kept) if kept else None


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="results/ is not beside an installed wheel")
def test_every_published_pair_is_what_scipy_says_of_the_kept_predictions() -> None:
    runs = store.read_runs(PUBLISHED)
    cards = {name: found.card for name, found in catalog.load().tasks.items()}
    right = {
        record.cell: {p.id: p.answer == p.expected for p in load(record) or ()}
        for run in runs
        for record in run.records
    }

    made = verdict.judge(runs, load, cards)

    assert len(made) == len({record.cell.task for run in runs for record in run.records})
    for pair in (pair for task in made for pair in task.pairs):
        small, large = right[pair.small], right[pair.large]
        items = small.keys() & large.keys()
        won = sum(small[item] and not large[item] for item in items)
        lost = sum(large[item] and not small[item] for item in items)
        p_value = reference.binomtest(won, won + lost, 0.5).pvalue if won + lost else 1.0
        assert pair.score.n == len(items)
        assert pair.score.estimate == pytest.approx((won - lost) / len(items), abs=1e-12)
        if pair.score.status != "same":
            assert pair.score.p_value == pytest.approx(p_value, abs=1e-9)
            assert (pair.score.adjusted or 0) >= p_value - 1e-12
        assert pair.resource("memory_peak") is not None


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="results/ is not beside an installed wheel")
def test_no_published_task_is_won_without_a_pair_that_shows_it() -> None:
    cards = {name: found.card for name, found in catalog.load().tasks.items()}

    for task in verdict.judge(store.read_runs(PUBLISHED), load, cards):
        won = [pair for pair in task.pairs if pair.outcome == "wins"]
        if task.outcome == "wins":
            assert task.by in {pair.small for pair in won}
            assert all((pair.score.adjusted or 0) <= 0.05 for pair in won)
        assert task.reason.endswith(".")
