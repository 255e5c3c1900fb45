"""Choosing among measured cells: beyond doubt, by the estimate, or not; and what is in the way."""

from __future__ import annotations

import contextlib
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit import builders

from steelyard import selection
from steelyard.api import Score
from steelyard.demands import Bound, Figure
from steelyard.errors import OptionError, Refusal
from steelyard.record import EnergyReading, MemoryLimit
from steelyard.report.fits import PeakBelow, RunsIn
from steelyard.report.rows import Row, TaskTable
from steelyard.selection import Limits, Selection
from steelyard.stats import Quantile, TooFew
from steelyard.units_in import QuantityError, parse_duration, parse_energy


def score(value: float, half: float = 0.01) -> Score:
    return Score(
        metric="accuracy", value=value, n=100, low=value - half, high=value + half, method="Wilson"
    )


def at(p: float, value: float, half: float = 1.0) -> Quantile:
    return Quantile(p=p, value=value, low=value - half, high=value + half, n=500, coverage=0.95)


def row(model: str, **changes: Any) -> Row:
    facts: dict[str, Any] = {
        "cell": builders.cell(model=model),
        "run": "r",
        "started": "2026-11-22T12:00:00+00:00",
        "role": "specialist",
        "precision": "int8",
        "backend": "null",
        "threads": 1,
        "outcome": "ok",
        "metric": "accuracy",
        "score": score(0.9),
        "p50_ns": at(0.5, 10.0),
        "p99_ns": at(0.99, 50.0),
        "size_bytes": 1000,
        "fits_in": PeakBelow(peak=100_000_000, budget=256_000_000),
    }
    return Row(**{**facts, **changes})


def chosen(*rows: Row, **limits: Any) -> Selection:
    table = TaskTable(task="spam", rows=rows, machines=())
    return selection.choose(table, Limits(**limits))


def name(found: Selection) -> str | None:
    return found.chosen.cell.model if found.chosen else None


def only(found: Selection, limit: str) -> selection.Finding:
    return next(one for one in found.candidates[0].findings if one.name == limit)


def test_without_limits_the_highest_lower_end_is_named_then_the_faster() -> None:
    sure, lucky = row("sure", score=score(0.92, 0.01)), row("lucky", score=score(0.95, 0.08))
    slow = row("slow", score=score(0.92, 0.01), p50_ns=at(0.5, 20.0))

    assert name(chosen(lucky, slow, sure)) == "sure"


def test_beyond_doubt_goes_before_a_better_score() -> None:
    doubtful = row("doubtful", score=score(0.99), p99_ns=at(0.99, 49.5, 2.0))
    clear = row("clear", score=score(0.9), p99_ns=at(0.99, 40.0, 2.0))

    assert name(chosen(doubtful, clear, max_p99_ns=50.0)) == "clear"
    alone = chosen(doubtful, max_p99_ns=50.0)
    assert name(alone) == "doubtful"
    assert alone.chosen is not None
    assert [one.name for one in alone.chosen.doubtful] == ["p99"]


@pytest.mark.parametrize(
    ("value", "half", "standing"),
    [(0.92, 0.01, "meets"), (0.905, 0.01, "doubtful"), (0.895, 0.01, "fails")],
)
def test_a_score_is_held_against_its_interval(value: float, half: float, standing: str) -> None:
    found = chosen(row("a", score=score(value, half)), min_score=0.9)

    assert only(found, "score").standing == standing


def test_a_score_without_an_interval_is_never_beyond_doubt() -> None:
    bare = Score(metric="accuracy", value=0.99, n=10)
    found = chosen(row("a", score=bare), min_score=0.5)

    assert only(found, "score").standing == "doubtful"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"p99_ns": TooFew(p=0.99, n=26, needed=299)}, "p99 needs 299 samples, there are 26"),
        ({"p99_ns": None}, "latency was not measured"),
        ({"timed_validly": False}, "no window of its latency was valid"),
    ],
)
def test_what_was_not_measured_meets_no_limit_and_says_why(
    changes: dict[str, Any], reason: str
) -> None:
    found = chosen(row("a", **changes), max_p99_ns=1e12)

    assert found.chosen is None
    assert only(found, "p99").standing == "not measured"
    assert only(found, "p99").reason == reason
    assert found.obstacles[0].nearest is None


def energy(tier: Literal[1, 2, 3], joules: float, expanded: float) -> EnergyReading:
    return EnergyReading(
        meter="m",
        tier=tier,
        covers=("board",),
        gross_j=joules,
        gross_u_j=expanded,
    )


@pytest.mark.parametrize(
    ("reading", "standing"),
    [
        (energy(1, 0.008, 0.001), "meets"),
        (energy(2, 0.0095, 0.001), "doubtful"),
        (energy(1, 0.011, 0.002), "fails"),
        (energy(3, 0.001, 0.0), "not measured"),
    ],
)
def test_energy_is_held_with_its_uncertainty_and_a_model_passes_nothing(
    reading: EnergyReading, standing: str
) -> None:
    found = chosen(row("a", energy=(reading,)), max_energy_j=0.01)

    assert only(found, "energy").standing == standing


def test_why_energy_is_missing_reaches_the_finding() -> None:
    found = chosen(row("a", no_energy=("rapl: no permission",)), max_energy_j=1.0)

    assert only(found, "energy").reason == "rapl: no permission"


def limit(size: int) -> MemoryLimit:
    return MemoryLimit(bytes=size, kind="cgroup")


@pytest.mark.parametrize(
    ("fitting", "standing", "reason"),
    [
        (PeakBelow(peak=100, budget=None), "meets", "peak of a run without a limit"),
        (PeakBelow(peak=600, budget=None), "fails", "peak of a run without a limit"),
        (RunsIn(limit=limit(512), budget=512), "meets", "ran when held to this"),
        (RunsIn(limit=limit(600), budget=None), "not measured", "it ran when held to more"),
        (
            PeakBelow(peak=100, budget=None, too_small=limit(512)),
            "fails",
            "ran out of memory when held to this",
        ),
        (PeakBelow(peak=100, budget=None, too_small=limit(256)), "meets", "peak of a run"),
        (None, "not measured", "memory was not measured"),
    ],
)
def test_memory_goes_by_the_best_evidence_there_is(
    fitting: PeakBelow | RunsIn | None, standing: str, reason: str
) -> None:
    found = only(chosen(row("a", fits_in=fitting), max_memory_bytes=512.0), "memory")

    assert found.standing == standing
    assert (found.reason or "").startswith(reason)


def test_the_limit_in_the_way_is_named_with_what_comes_nearest_and_by_how_much() -> None:
    found = chosen(
        row("near", p99_ns=at(0.99, 60.0)), row("far", p99_ns=at(0.99, 200.0)), max_p99_ns=50.0
    )
    (obstacle,) = found.obstacles

    assert found.chosen is None
    assert (obstacle.name, obstacle.met_by) == ("p99", 0)
    assert (obstacle.nearest or "").startswith("near@")
    assert obstacle.finding is not None
    assert obstacle.finding.miss == pytest.approx(0.2)


def test_limits_that_only_together_are_too_much_name_the_least_miss() -> None:
    quick = row("quick", score=score(0.80), p99_ns=at(0.99, 5.0))
    good = row("good", score=score(0.95), p99_ns=at(0.99, 55.0))
    found = chosen(quick, good, min_score=0.9, max_p99_ns=50.0)

    assert found.chosen is None
    assert [one.met_by for one in found.obstacles] == [1, 1]
    assert found.nearest is not None
    assert found.nearest.cell.model == "good"


def test_a_cell_that_failed_is_left_out_with_its_reason() -> None:
    found = chosen(row("a"), row("b", outcome="out_of_memory", reason="killed", score=None))

    assert name(found) == "a"
    assert found.unmeasured == (("spam/b@int8/cpu-1t", "out_of_memory: killed"),)


def test_only_the_device_asked_for_counts() -> None:
    other = row("b", cell=builders.cell(model="b", device="pi5"), score=score(0.99))

    assert name(chosen(row("a"), other)) == "b"
    assert name(chosen(row("a"), other, device="cpu-1t")) == "a"
    assert chosen(row("a"), device="gpu").candidates == ()


def least(*rows: Row, higher_is_better: bool | None = False, **limits: Any) -> Selection:
    """Choose where less of the score is better, unless said otherwise."""
    table = TaskTable(task="load", rows=rows, machines=(), higher_is_better=higher_is_better)
    return selection.choose(table, Limits(**limits))


def test_where_less_is_better_the_lowest_upper_end_is_named() -> None:
    sure, lucky = row("sure", score=score(1.00, 0.01)), row("lucky", score=score(0.95, 0.08))
    poor, bare = row("poor", score=score(2.0)), row("bare", score=None)

    found = least(poor, bare, lucky, sure)

    assert [one.cell.model for one in found.candidates] == ["sure", "lucky", "poor", "bare"]
    assert "the lowest upper end of the score's" in selection.RULES[found.higher_is_better]


@pytest.mark.parametrize(
    ("value", "half", "standing"),
    [(1.1, 0.05, "meets"), (1.18, 0.05, "doubtful"), (1.3, 0.05, "fails")],
)
def test_an_error_is_held_against_the_most_that_is_allowed(
    value: float, half: float, standing: str
) -> None:
    found = only(least(row("a", score=score(value, half)), max_score=1.2), "score")

    assert (found.standing, found.at_least) == (standing, False)


def test_a_limit_on_the_wrong_side_of_a_score_names_the_right_option() -> None:
    error = row("a", metric="mase")
    with pytest.raises(OptionError, match=r"^less mase is better: ask with --max-score, not --min"):
        least(error, min_score=0.9)
    with pytest.raises(OptionError, match=r"^more accuracy is better: ask with --min-score"):
        least(row("a"), higher_is_better=True, max_score=0.9)
    with pytest.raises(Refusal, match="no card says whether more mase is better; give --cards"):
        least(error, higher_is_better=None)


@given(st.floats(-10, 10), st.floats(0, 5), st.floats(-10, 10), st.booleans())
def test_the_whole_interval_meeting_a_limit_is_all_that_is_beyond_doubt(
    value: float, half: float, bound: float, at_least: bool
) -> None:
    figure = Figure(value=value, low=value - half, high=value + half)
    standing = Bound(limit=bound, at_least=at_least).standing(figure)
    inside = [end >= bound if at_least else end <= bound for end in (figure.low, figure.high)]

    assert (standing == "meets") == all(inside)
    assert (standing == "fails") == (value < bound if at_least else value > bound)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [("50ms", 5e7), ("1.5 s", 1.5e9), ("300us", 3e5), ("300µs", 3e5), ("300μs", 3e5), ("7ns", 7)],
)
def test_durations_are_read_with_their_unit(text: str, nanoseconds: float) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize(("text", "joules"), [("10mJ", 0.01), ("1.5 J", 1.5), ("2kJ", 2000.0)])
def test_energies_are_read_with_their_unit(text: str, joules: float) -> None:
    assert parse_energy(text) == joules


@pytest.mark.parametrize(
    "text",
    ["", "50", "ms", "-5ms", "0ms", "5 mss", "5MS", "1e3ms", "nan s", "inf s", "٣ms", "5ms\n5"],
)
def test_what_is_no_duration_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(QuantityError) as raised:
        parse_duration(text)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["10MJ", "10 Wh", "10", "J"])
def test_what_is_no_energy_is_refused(text: str) -> None:
    with pytest.raises(QuantityError):
        parse_energy(text)


@given(st.text(max_size=12))
def test_no_text_makes_the_parsers_fail_otherwise(text: str) -> None:
    for parse in (parse_duration, parse_energy):
        with contextlib.suppress(QuantityError):
            assert parse(text) > 0
