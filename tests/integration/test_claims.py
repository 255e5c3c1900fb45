"""The ledger of what is published says what the raw samples say, and no more."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import pytest

from steelyard import catalog, cost, store
from steelyard.claims import ClaimResult, Ledger
from steelyard.cli.claims import judged
from steelyard.record import Record

DEFAULT = Path(__file__).resolve().parents[2] / "results" / "default"
pytestmark = pytest.mark.skipif(
    not DEFAULT.is_dir(), reason="results/ is not beside an installed wheel's tests"
)


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return judged((DEFAULT,), catalog.load(), prices=cost.load_prices())


def records() -> list[Record]:
    return [record for run in store.read_runs(DEFAULT) for record in run.records]


def claim(ledger: Ledger, name: str) -> ClaimResult:
    return next(one for one in ledger.claims if one.id == name)


def median(record: Record) -> float | None:
    measured = record.measurement("latency_end_to_end")
    if measured is None or record.broken("latency") or len(measured.values) < 8:
        return None
    return sorted(measured.values)[ceil(0.5 * len(measured.values)) - 1]


def test_the_least_ratio_of_medians_is_that_of_the_raw_samples(ledger: Ledger) -> None:
    for one in claim(ledger, "faster").tasks:
        of_task = [record for record in records() if record.cell.task == one.task]
        small = [median(record) for record in of_task if record.role == "specialist"]
        large = [median(record) for record in of_task if record.role == "generalist"]
        ratios = [theirs / ours for ours in small if ours for theirs in large if theirs]

        assert one.estimate == pytest.approx(min(ratios) if ratios else None)


def test_the_scope_names_every_generalist_with_its_size_and_no_other_machine(
    ledger: Ledger,
) -> None:
    scope = claim(ledger, "often-better").scope
    titles = {name: entry.card.title for name, entry in catalog.load().models.items()}

    for record in records():
        if record.role == "generalist" and record.answered:
            assert titles[record.cell.model] in scope
    assert "code-tuned" in scope
    assert "billion parameters" in scope
    assert "virtual machine" in scope
    assert "6 tasks" in scope


def test_what_no_record_holds_is_not_tested(ledger: Ledger) -> None:
    if not any(reading.gross_j for record in records() for reading in record.energy):
        assert claim(ledger, "less-energy").standing == "not tested"
    if not any(record.dependability for record in records()):
        assert claim(ledger, "dependable").standing == "not tested"
    assert "not on a board" in claim(ledger, "embeddable").reason
    assert claim(ledger, "embeddable").standing == "undecided"
