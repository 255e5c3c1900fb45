"""Which figure matters most: each goes to its low and its high while the others stay."""

from __future__ import annotations

from math import log

from msgspec import Struct

from steelyard.cost.crossing import BreakEven, break_even
from steelyard.cost.placing import Deployed
from steelyard.cost.prices import Demand, Prices
from steelyard.cost.totals import CostOfCall, Priced, Total, cheapest, per_call, total
from steelyard.cost.walking import Named, figures, with_value
from steelyard.cost.workload import Workload
from steelyard.energy import Absent

# A ratio that moves by less than this does not depend on the figure.
_UNMOVED = 1e-9


class Effect(Struct, frozen=True, kw_only=True):
    """What becomes of the ratio and of the break-even when one figure is low, and when high.

    Ratios are of totals a correct answer (or a call, where those are not known), large over small.
    Break-evens are in calls a day, from the first on and for good; None: never.
    """

    path: str
    low: float
    high: float
    assumed: bool
    ratio_low: float
    ratio_high: float
    break_even_low: float | None
    break_even_high: float | None
    for_good_low: float | None
    for_good_high: float | None

    @property
    def size(self) -> float:
        """How far the ratio moves, as a logarithm: what effects are ranked by."""
        return abs(log(self.ratio_high / self.ratio_low))

    @property
    def moves_break_even(self) -> bool:
        """Whether it matters from which volume the small one pays back."""
        low = (self.break_even_low, self.for_good_low)
        return low != (self.break_even_high, self.for_good_high)


class Versus(Struct, frozen=True, kw_only=True):
    """A small model against a large one, each where it costs least at the demand.

    `ratio` is the cost of a thousand correct answers, large over small: above 1 the small one is
    cheaper. `lowest` and `highest` are how far any one uncertain figure moves it: a range of
    assumptions, no confidence interval. `no_ratio` says why there is none. `running_ratio` is that
    of what calls cost to run, without people; None where a side's has no electricity or no share.
    """

    small: Priced
    large: Priced
    ratio: float | None
    lowest: float | None
    highest: float | None
    no_ratio: str | None
    running_ratio: float | None
    break_even: BreakEven
    sensitivity: tuple[Effect, ...]


def compare(small: Workload, large: Workload, prices: Prices, demand: Demand) -> Versus | Absent:
    """Set a small model against a large one, each where it costs least."""
    ours, theirs = cheapest(small, prices, demand), cheapest(large, prices, demand)
    if isinstance(ours, Absent):
        return ours
    if isinstance(theirs, Absent):
        return theirs
    return versus(ours, theirs, prices, demand)


def versus(small: Priced, large: Priced, prices: Prices, demand: Demand) -> Versus | Absent:
    """Set a small model somewhere against a large one somewhere."""
    crossing = break_even(small.deployed, large.deployed, prices, demand.months)
    if isinstance(crossing, Absent):
        return crossing
    effects = sensitivity(small.deployed, large.deployed, prices, demand)
    no_ratio = _no_ratio(small) or _no_ratio(large)
    ratio = None if no_ratio else _ratio(small.total, large.total)
    ends = [end for effect in effects for end in (effect.ratio_low, effect.ratio_high)]
    return Versus(
        small=small,
        large=large,
        ratio=ratio,
        lowest=None if ratio is None else min([ratio, *ends]),
        highest=None if ratio is None else max([ratio, *ends]),
        no_ratio=no_ratio,
        running_ratio=_running_ratio(small.deployed, large.deployed, prices),
        break_even=crossing,
        sensitivity=effects,
    )


def sensitivity(
    small: Deployed, large: Deployed, prices: Prices, demand: Demand
) -> tuple[Effect, ...]:
    """Return the effect of every figure that has a range, the largest on the ratio first.

    Figures that move neither the ratio nor the break-even are left out.
    """
    found = (_effect(named, small, large, prices, demand) for named in figures(prices))
    moved = [one for one in found if one and (one.size > _UNMOVED or one.moves_break_even)]
    return tuple(sorted(moved, key=lambda one: -one.size))


def _effect(
    named: Named, small: Deployed, large: Deployed, prices: Prices, demand: Demand
) -> Effect | None:
    figure = named.figure
    if figure.low is None or figure.high is None:
        return None
    ends: list[tuple[float, BreakEven]] = []
    for value in (figure.low, figure.high):
        changed = with_value(prices, named.path, value)
        end = _end(_again(small, changed), _again(large, changed), changed, demand)
        if end is None:
            return None
        ends.append(end)
    (ratio_low, at_low), (ratio_high, at_high) = ends
    return Effect(
        path=named.path,
        low=figure.low,
        high=figure.high,
        assumed=figure.assumed,
        ratio_low=ratio_low,
        ratio_high=ratio_high,
        break_even_low=at_low.calls_a_day,
        break_even_high=at_high.calls_a_day,
        for_good_low=at_low.for_good,
        for_good_high=at_high.for_good,
    )


def _again(deployed: Deployed, prices: Prices) -> Deployed:
    """Return the same model in the same place as other prices declare it."""
    place = prices.deployment(deployed.deployment.id)
    return Deployed(workload=deployed.workload, deployment=place)


def _end(
    small: Deployed, large: Deployed, prices: Prices, demand: Demand
) -> tuple[float, BreakEven] | None:
    ours, theirs = total(small, prices, demand), total(large, prices, demand)
    crossing = break_even(small, large, prices, demand.months)
    if isinstance(ours, Absent) or isinstance(theirs, Absent) or isinstance(crossing, Absent):
        return None
    ratio = _ratio(ours, theirs)
    return None if ratio is None else (ratio, crossing)


def _ratio(small: Total, large: Total) -> float | None:
    """Return large over small a correct answer, or a call where those are not known."""
    ours, theirs = small.per_1000_correct, large.per_1000_correct
    if ours is None or theirs is None:
        ours, theirs = small.per_1000, large.per_1000
    return theirs / ours if ours > 0 and theirs > 0 else None


def _running_ratio(small: Deployed, large: Deployed, prices: Prices) -> float | None:
    ours, theirs = per_call(small, prices), per_call(large, prices)
    if not isinstance(ours, CostOfCall) or not isinstance(theirs, CostOfCall):
        return None
    if ours.no_electricity or theirs.no_electricity:
        return None
    small_one, large_one = ours.per_1000_correct, theirs.per_1000_correct
    return large_one / small_one if small_one and large_one else None


def _no_ratio(priced: Priced) -> str | None:
    work = priced.deployed.workload
    if work.correct is None:
        return f"{work.name}: {work.no_correct or 'no share of correct answers'}"
    if priced.total.amount <= 0:
        return f"{work.name} costs nothing by these prices"
    return None
