"""From which volume on a small model costs no more than a large one; curves of both."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.cost.placing import Deployed
from steelyard.cost.prices import Demand, Prices
from steelyard.cost.schedule import Schedule, schedule
from steelyard.energy import Absent

# Calls a day that a search goes up to: a hundred a second; and machines, for slow models.
MOST_A_DAY = 8.64e6
_MOST_MACHINES = 100_000


class BreakEven(Struct, frozen=True, kw_only=True):
    """From how many calls a day on the small model costs no more in total than the large one.

    `calls_a_day` is the least such volume, 0.0 from the first call, None for none up to
    `searched_to`. `for_good` is the least from which it stays so up to there: machines are
    counted whole, so that lines can cross more than once. None: it does not stay so.
    """

    calls_a_day: float | None
    for_good: float | None
    searched_to: float
    text: str


class Curve(Struct, frozen=True, kw_only=True):
    """A line for a plot: total cost in `currency` against months, or against calls a day."""

    label: str
    model: str
    deployment: str
    role: str
    x_unit: str
    currency: str
    x: tuple[float, ...]
    y: tuple[float, ...]


def break_even(
    small: Deployed, large: Deployed, prices: Prices, months: float
) -> BreakEven | Absent:
    """Return from which volume on the small model's total over `months` is no higher."""
    ours, theirs = schedule(small, prices, months), schedule(large, prices, months)
    if isinstance(ours, Absent):
        return ours
    return theirs if isinstance(theirs, Absent) else _crossing(ours, theirs)


def _crossing(small: Schedule, large: Schedule) -> BreakEven:
    """Walk the stretches between steps, on each of which both totals are straight lines."""
    slowest = min(plan.capacity or MOST_A_DAY for plan in (small, large))
    most = min(MOST_A_DAY, slowest * _MOST_MACHINES)
    steps = np.unique(np.concatenate([small.steps(most), large.steps(most)]))
    ends = np.append(steps[steps < most], most)
    starts = np.append(0.0, ends[:-1])
    middle = (starts + ends) / 2
    at_start = _line(small, starts, middle) - _line(large, starts, middle)
    at_end = _line(small, ends, middle) - _line(large, ends, middle)
    first = _first(starts, ends, at_start, at_end)
    for_good = _for_good(starts, ends, at_start, at_end)
    return BreakEven(
        calls_a_day=first,
        for_good=for_good,
        searched_to=most,
        text=_text(first, for_good, most),
    )


Lines = NDArray[np.float64]


def _line(plan: Schedule, volumes: Lines, within: Lines) -> Lines:
    """Return totals at `volumes` with as many machines as the stretch around `within` takes."""
    machines = np.zeros_like(within)
    if plan.capacity is not None:
        machines = np.maximum(1.0, np.ceil(within / plan.capacity))
    once = sum(part.once for part in plan.parts)
    a_call = sum(part.a_daily_call for part in plan.parts)
    return once + a_call * volumes + sum(part.a_machine for part in plan.parts) * machines


def _first(starts: Lines, ends: Lines, at_start: Lines, at_end: Lines) -> float | None:
    """Return the least volume at which the difference is not above zero."""
    below = np.flatnonzero((at_start <= 0) | (at_end <= 0))
    if not below.size:
        return None
    i = int(below[0])
    return float(starts[i]) if at_start[i] <= 0 else _root(starts, ends, at_start, at_end, i)


def _for_good(starts: Lines, ends: Lines, at_start: Lines, at_end: Lines) -> float | None:
    """Return the least volume from which the difference is never above zero again."""
    above = np.flatnonzero((at_start > 0) | (at_end > 0))
    if not above.size:
        return 0.0
    i = int(above[-1])
    if at_end[i] <= 0:
        return _root(starts, ends, at_start, at_end, i)
    return float(ends[i]) if i < len(ends) - 1 else None


def _root(starts: Lines, ends: Lines, at_start: Lines, at_end: Lines, i: int) -> float:
    share = at_start[i] / (at_start[i] - at_end[i])
    return float(starts[i] + share * (ends[i] - starts[i]))


def volume(calls_a_day: float) -> str:
    """Return from how many whole calls a day something holds: rounded up, with separators."""
    return f"{ceil(calls_a_day):,}"


def _text(first: float | None, for_good: float | None, most: float) -> str:
    if first is None:
        return f"costs more in total at every volume up to {most:,.0f} calls a day"
    told = "from the first call on" if first <= 0 else f"from {volume(first)} calls a day on"
    if for_good is None:
        return f"costs less in total {told}, but not at every volume above"
    if for_good > first:
        return f"costs less in total {told}, for good from {volume(for_good)}"
    return f"costs less in total {told}"


def curve_by_month(deployed: Deployed, prices: Prices, demand: Demand) -> Curve | Absent:
    """Return the total after each month of the horizon, from month 0: what is paid beforehand."""
    months = tuple(range(demand.months + 1))
    totals: list[float] = []
    for month in months:
        plan = schedule(deployed, prices, month)
        if isinstance(plan, Absent):
            return plan
        totals.append(plan.total(demand.calls_a_day))
    return _curve(deployed, prices, "month", tuple(map(float, months)), tuple(totals))


def curve_by_volume(
    deployed: Deployed, prices: Prices, months: float, volumes: Sequence[float]
) -> Curve | Absent:
    """Return the total over `months` at each volume of calls a day."""
    plan = schedule(deployed, prices, months)
    if isinstance(plan, Absent):
        return plan
    totals = tuple(map(plan.total, volumes))
    return _curve(deployed, prices, "calls a day", tuple(map(float, volumes)), totals)


def curves(options: Sequence[Deployed], prices: Prices, demand: Demand) -> tuple[Curve, ...]:
    """Return the curves by month of all that can run where they are put."""
    found = (curve_by_month(option, prices, demand) for option in options)
    return tuple(curve for curve in found if isinstance(curve, Curve))


def _curve(
    deployed: Deployed, prices: Prices, x_unit: str, x: tuple[float, ...], y: tuple[float, ...]
) -> Curve:
    return Curve(
        label=deployed.name,
        model=deployed.workload.name,
        deployment=deployed.deployment.id,
        role=deployed.workload.role,
        x_unit=x_unit,
        currency=prices.currency,
        x=x,
        y=y,
    )
