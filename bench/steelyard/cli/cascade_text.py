"""What `steelyard cascade` prints: calibration, frontier, the point to use, what to expect."""

from __future__ import annotations

from collections.abc import Iterator

from steelyard.cascade.frontier import RULE
from steelyard.cascade.types import Calibrated, Cascade, Expected, Gain, Judged, Point, Share
from steelyard.record import Cell
from steelyard.report import units

ABSENT = "-"
# As many rows as a terminal shows with what stands around them.
ROWS = 15
TITLES = ("", "threshold", "escalated", "accuracy", "mean latency", "p99", "energy", "1,000 calls")
STANDINGS = {
    "meets": "met",
    "doubtful": "met, but not beyond doubt",
    "fails": "not met",
    "not measured": "not measured",
}


def evaluation(cascade: Cascade) -> str:
    """Say in one sentence how the expected figures came about."""
    expected = cascade.expected
    calibrated = cascade.calibrated
    fitted = (
        "confidence is calibrated on the same parts as the threshold"
        if calibrated.crossed
        else f"confidence is calibrated on {calibrated.n} other test items, which the generalist "
        "was not asked"
    )
    return (
        f"cross-fitted: {expected.accuracy.n} test items that both were asked, in {expected.parts} "
        f"parts; each part is answered by a threshold chosen on the others; {fitted}"
    )


def heading(cascade: Cascade) -> str:
    """Name the task and the two cells."""
    return (
        f"{units.clean(cascade.task)}: {_name(cascade.specialist)} answers, "
        f"{_name(cascade.generalist)} is asked where it is unsure"
    )


def calibration(calibrated: Calibrated) -> tuple[list[tuple[str, ...]], str]:
    """Return the methods as rows, and what became of the chosen one."""
    rows: list[tuple[str, ...]] = [("confidence", "held-out log loss", "held-out ECE")]
    rows += [
        (one.method, f"{one.log_loss:.4f}", f"{one.calibration_error:.4f}")
        for one in calibrated.tried
    ]
    policy = calibrated.policy
    how = "" if policy.method == "none" else f" (temperature {policy.temperature:.3g})"
    before, after = calibrated.error_before, calibrated.error_after
    said = (
        f"used: {policy.method}{how}, the least held-out log loss on {calibrated.n} items; "
        f"ECE on the common items {before:.4f} before, {after:.4f} after"
    )
    return rows, said


def frontier(cascade: Cascade) -> list[tuple[str, ...]]:
    """Return the frontier as rows, the chosen point marked; `-` is what is not known."""
    chosen = cascade.chosen.threshold if cascade.chosen else None
    shown = _thinned(cascade.frontier, chosen)
    rows: list[tuple[str, ...]] = [TITLES]
    rows += [_row(point, cascade.currency, chosen) for point in shown]
    used = [place for place in range(len(rows[0])) if _says(rows, place)]
    return [tuple(row[place] for place in used) for row in rows]


def verdict(cascade: Cascade) -> Iterator[str]:
    """Yield the point to use, or what comes nearest, and what to expect of it."""
    if cascade.chosen is None:
        point = cascade.nearest
        yield "no threshold meets what was asked"
        yield (
            f"nearest: a threshold of {point.threshold:.4g} escalates {point.escalated:.1%} and "
            f"gives accuracy {point.accuracy:.3f}{_took(point, cascade.currency)}"
        )
    else:
        yield conclusion(cascade.expected)
        yield f"use: {_use(cascade.chosen)} ({RULE})"
    yield from _expected(cascade.expected)
    for one in cascade.judged:
        yield _judged(one)


def gains(expected: Expected) -> bool:
    """Tell whether the cascade is shown to answer better than the specialist alone."""
    return expected.over_specialist.low > 0


def conclusion(expected: Expected) -> str:
    """Say whether a gain is shown, and who answers best on the items."""
    gain, n = expected.over_specialist, expected.accuracy.n
    value, low, high = (100 * part for part in (gain.value, gain.low, gain.high))
    interval = f"{value:+.1f} points [{low:+.1f},{high:+.1f}] over the specialist alone"
    said = f"A gain is shown: {interval}" if gains(expected) else "No gain shown"
    accuracy = {
        "the specialist alone": expected.specialist.value,
        "the generalist alone": expected.generalist.value,
        "the cascade": expected.accuracy.value,
    }
    # Of equals the first, which needs less.
    best = max(accuracy, key=lambda who: accuracy[who])
    if gains(expected) and best == "the cascade":
        return f"{said}, on these {n} items ({accuracy[best]:.3f})."
    others = ", ".join(f"{who} {value:.3f}" for who, value in accuracy.items() if who != best)
    answers = f"{best} answers best on these {n} items ({accuracy[best]:.3f}; {others})"
    return f"{said}; {answers}." if gains(expected) else f"{said}: {answers}; {interval}."


def _use(point: Point) -> str:
    if point.escalated <= 0:
        return f"the specialist alone: a threshold of {point.threshold:.4g} asks nobody else"
    return f"ask the generalist at a confidence of {point.threshold:.4g} or less"


def notes(cascade: Cascade) -> Iterator[str]:
    """Yield how it was evaluated, what is not known, and what to keep in mind."""
    yield evaluation(cascade)
    expected = cascade.expected
    if expected.parts_unmet:
        yield (
            f"in {expected.parts_unmet} of {expected.parts} parts no threshold met what was asked "
            "on the others: the nearest was used there"
        )
    yield "frontier: each point by itself on the common items; picking the best of them flatters it"
    if not any(name == "latency" for name, _ in cascade.absent):
        trip = units.duration(cascade.round_trip_ns) if cascade.round_trip_ns else "none"
        yield (
            "latency: every call takes the specialist's time, an escalated one the generalist's "
            f"too and a round trip ({trip}), the two as if independent"
        )
    yield from (f"{name}: not known: {units.clean(reason)}" for name, reason in cascade.absent)
    yield from map(units.clean, cascade.caveats)


def _expected(expected: Expected) -> Iterator[str]:
    yield (
        f"expect: accuracy {_share(expected.accuracy)} n={expected.accuracy.n}, "
        f"escalated {_share(expected.escalated)} "
        "(threshold chosen on other items than those it is judged on)"
    )
    yield f"  {_gain('specialist', expected.over_specialist, expected.specialist)}"
    yield f"  {_gain('generalist', expected.over_generalist, expected.generalist)}"
    yield (
        "  with the generalist out of reach the specialist answers all: accuracy "
        f"{_share(expected.specialist)}"
    )
    yield f"  at the very best, each item to whichever is right: {expected.either:.3f}"


def _gain(whom: str, gain: Gain, alone: Share) -> str:
    value, low, high = (100 * part for part in (gain.value, gain.low, gain.high))
    return (
        f"against the {whom} alone ({_share(alone)}): {value:+.1f} points [{low:+.1f},{high:+.1f}]"
        f", p={gain.p_value:.3f}"
    )


def _judged(one: Judged) -> str:
    limit = f"{'at least' if one.at_least else 'at most'} {_scaled(one.limit, one.unit)}"
    if one.value is None:
        return f"{one.name} {limit}: {STANDINGS[one.standing]}"
    low, high = ("?" if end is None else _scaled(end, one.unit) for end in (one.low, one.high))
    value = _scaled(one.value, one.unit)
    return f"{one.name} {limit}: {STANDINGS[one.standing]}: {value} [{low},{high}]"


def _row(point: Point, currency: str | None, chosen: float | None) -> tuple[str, ...]:
    return (
        "use" if point.threshold == chosen else "",
        f"{point.threshold:.4g}",
        f"{point.escalated:.1%}",
        f"{point.accuracy:.3f}",
        _known(point.mean_latency_ns, "ns"),
        _known(point.p99_ns, "ns"),
        _known(point.energy_j, "J"),
        _known(point.cost, currency or ""),
    )


def _took(point: Point, currency: str | None) -> str:
    known = (
        ("mean latency", point.mean_latency_ns, "ns"),
        ("p99", point.p99_ns, "ns"),
        ("energy", point.energy_j, "J"),
        ("cost of 1,000 calls", point.cost, currency or ""),
    )
    said = [f"{name} {_scaled(value, unit)}" for name, value, unit in known if value is not None]
    return f" ({', '.join(said)})" if said else ""


def _thinned(found: tuple[Point, ...], chosen: float | None) -> list[Point]:
    """Return at most about ROWS points: both ends, the chosen one, others evenly."""
    if len(found) <= ROWS:
        return list(found)
    step = (len(found) - 1) / (ROWS - 1)
    places = {round(number * step) for number in range(ROWS)}
    return [
        point for place, point in enumerate(found) if place in places or point.threshold == chosen
    ]


def _says(rows: list[tuple[str, ...]], place: int) -> bool:
    """Whether a column has a figure in some row; the first marks the chosen point."""
    return place == 0 or any(row[place] != ABSENT for row in rows[1:])


def _known(value: float | None, unit: str) -> str:
    return ABSENT if value is None else _scaled(value, unit)


def _scaled(value: float, unit: str) -> str:
    if unit == "ns":
        return units.duration(value)
    if unit == "J":
        return units.energy(value)
    return f"{value:.3f}" if unit == "1" else f"{1000 * value:.3g} {units.clean(unit)}"


def _share(share: Share) -> str:
    return f"{share.value:.3f} [{share.low:.3f},{share.high:.3f}]"


def _name(cell: Cell) -> str:
    return units.clean(f"{cell.name} on {cell.device}")
