"""Time, memory, energy and cost of two cells: ratios, margins, and what cannot be compared."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.builders import host
from tests.unit.verdicts import large, measured, small

from steelyard.record import EnergyReading, Evidence, MemoryLimit, Record
from steelyard.stats import Figure, Quantile, percentile
from steelyard.verdict import Comparison
from steelyard.verdict.matching import Pair, Side
from steelyard.verdict.needs import LATENCY, judge, needs
from steelyard.verdict.types import Status


def pair(ours: Record, theirs: Record) -> Pair:
    sides = [Side(record=one, host=host(), answers={}) for one in (ours, theirs)]
    return Pair(small=sides[0], large=sides[1])


def compared(quantity: str, ours: Record, theirs: Record, **options: Any) -> Comparison:
    made = {one.quantity: one for one in needs(pair(ours, theirs), **options)}
    return made[quantity]  # type: ignore[index]


def reading(**changes: Any) -> EnergyReading:
    usual = EnergyReading(
        meter="rapl", tier=2, scope="package", covers=("cpu",), gross_j=1.0, gross_u_j=0.1
    )
    return replace(usual, **changes)


@pytest.mark.parametrize(
    ("low", "high", "status"),
    [
        (1.06, 1.5, "better"),
        (1.04, 1.5, "undecided"),
        (0.96, 1.04, "same"),
        (0.5, 0.94, "worse"),
        (0.5, 0.96, "undecided"),
    ],
)
def test_a_need_is_judged_by_its_interval_and_the_margin(
    low: float, high: float, status: Status
) -> None:
    one = Figure(value=1, low=1, high=1)

    found = judge(LATENCY, one, Figure(value=(low + high) / 2, low=low, high=high))

    assert found.status == status
    assert (found.reason is not None) == (status == "undecided")


def test_time_is_the_ratio_of_medians_with_the_interval_of_both() -> None:
    times = measured("latency_end_to_end", "ns", *range(100, 121))
    ours = small(measurements=(times,))

    found = compared("latency_p50", ours, large())

    assert (found.small, found.large) == (110, 100_000)
    assert found.estimate == pytest.approx(100_000 / 110)
    median = percentile(times.values, 0.5)
    assert isinstance(median, Quantile)
    assert (found.low, found.high) == (1e5 / median.high, 1e5 / median.low)
    assert (found.status, found.unit) == ("better", "ns")


def test_too_few_calls_are_said_and_not_guessed() -> None:
    few = measured("latency_end_to_end", "ns", *[5] * 7)

    found = compared("latency_p50", small(), large(measurements=(few,)))

    assert (found.status, found.estimate) == ("undecided", None)
    assert found.reason == "giant@int8: p50 needs 8 samples, there are 7"


def test_time_that_was_not_measured_has_the_records_reason() -> None:
    missing = small(measurements=(), absent=(("latency", "no time was left"),))

    assert compared("latency_p50", missing, large()).reason == "mini@int8: no time was left"


def test_memory_has_no_interval_and_no_equal_below_the_margin() -> None:
    found = compared("memory_peak", small(peak=100), large(peak=104))

    assert (found.estimate, found.low, found.high) == (1.04, None, None)
    assert found.status == "same"


def test_memory_under_different_budgets_is_incomparable() -> None:
    budget = MemoryLimit(bytes=512_000_000, kind="cgroup")

    found = compared("memory_peak", small(memory_limit=budget), large())

    assert found.status == "incomparable"
    assert "different memory budgets" in (found.reason or "")


def test_size_and_cost_are_shown_and_decide_nothing() -> None:
    prices = {"mini": 0.001, "giant": 0.5}

    size = compared("size", small(), large())
    cost = compared("cost", small(), large(), costs=lambda r: prices[r.cell.model])

    assert (size.estimate, size.decides) == (50, False)
    assert (cost.estimate, cost.decides) == (500, False)
    assert "cost" not in {one.quantity for one in needs(pair(small(), large()))}


def test_energy_is_compared_within_a_tier_with_the_uncertainty_of_both() -> None:
    ours = small(energy=(reading(),))
    theirs = large(energy=(reading(gross_j=20.0, gross_u_j=2.0),))

    found = compared("energy", ours, theirs)

    assert found.estimate == 20
    assert found.low == pytest.approx(18 / 1.1)
    assert found.high == pytest.approx(22 / 0.9)
    assert found.decides
    assert "sensor on board, counting cpu" in (found.test or "")


def test_energy_of_different_tiers_or_parts_is_incomparable() -> None:
    board = large(energy=(reading(tier=1, covers=("board",), scope="wall"),))
    more = large(energy=(reading(covers=("cpu", "dram")),))

    for theirs in (board, more):
        found = compared("energy", small(energy=(reading(),)), theirs)
        assert found.status == "incomparable"
        assert "different tiers or parts" in (found.reason or "")


def test_a_tier_that_both_have_is_used_though_one_has_a_better_one() -> None:
    modelled = reading(meter="modelled", tier=3, covers=("board",), scope="board")
    ours = small(energy=(modelled, reading()))

    found = compared("energy", ours, large(energy=(replace(modelled, gross_j=9.0),)))

    assert found.estimate == 9
    assert not found.decides


def test_a_graphics_card_alone_is_not_the_energy_of_a_processor() -> None:
    card = reading(meter="nvml", covers=("gpu",))

    found = compared("energy", small(energy=(card,)), large(energy=(card,)))

    assert (found.status, found.reason) == ("undecided", "it was not measured")


def test_energy_of_an_invalid_window_is_withheld() -> None:
    broken = Evidence(window="energy", seconds=1, readings=2, broken=("swapped",))

    found = compared(
        "energy", small(energy=(reading(),), evidence=(broken,)), large(energy=(reading(),))
    )

    assert found.reason == "mini@int8: no valid window"


def test_why_there_is_no_energy_is_said_once_for_both() -> None:
    none = ("rapl: no RAPL here",)

    found = compared("energy", small(no_energy=none), large(no_energy=none))

    assert (found.reason or "").startswith("no meter can read this machine")
