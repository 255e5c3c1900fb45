"""Thresholds and what each gives: accuracy against latency, energy and cost; the best of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from steelyard.cascade.calibration import Bools
from steelyard.cascade.mixture import Budget, Expense, percentile
from steelyard.cascade.policy import Floats
from steelyard.cascade.types import Point, Wanted
from steelyard.energy import Absent

RULE = (
    "of the thresholds that keep all limits, the one with the highest accuracy, then the fewest "
    "escalated; where a score is asked for, the fewest escalated that reach it"
)


class Sides(Struct, frozen=True, kw_only=True):
    """Of the same items: how sure the specialist is, and which of the two is right."""

    confidences: Floats
    specialist_right: Bools
    generalist_right: Bools

    def part(self, chosen: Bools) -> Sides:
        """Return a part of the items."""
        return Sides(
            confidences=self.confidences[chosen],
            specialist_right=self.specialist_right[chosen],
            generalist_right=self.generalist_right[chosen],
        )


def points(sides: Sides, budget: Budget) -> tuple[Point, ...]:
    """Return what each threshold that makes a difference gives, from none escalated to all."""
    return tuple(_point(sides, budget, threshold) for threshold in thresholds(sides.confidences))


def thresholds(confidences: Floats) -> tuple[float, ...]:
    """Return 0, the middles between neighbouring confidences, and 1."""
    seen = np.unique(confidences)
    return 0.0, *((seen[1:] + seen[:-1]) / 2).tolist(), 1.0


def right(sides: Sides, escalated: Bools) -> Bools:
    """Return whether each item is answered rightly, by whom it goes to."""
    return np.where(escalated, sides.generalist_right, sides.specialist_right)


def choose(found: Sequence[Point], wanted: Wanted) -> Point | None:
    """Return the best point by RULE; None where none keeps all limits and reaches the score."""
    kept = [point for point in found if _within(point, wanted)]
    if wanted.min_score is None:
        return max(kept, key=lambda point: (point.accuracy, -point.escalated), default=None)
    reaching = [point for point in kept if point.accuracy >= wanted.min_score]
    return min(reaching, key=lambda point: (point.escalated, -point.accuracy), default=None)


def nearest(found: Sequence[Point], wanted: Wanted) -> Point:
    """Return what to fall back on where `choose` finds none.

    The highest accuracy within the limits; where nothing is, what escalates least.
    """
    kept = [point for point in found if _within(point, wanted)]
    if kept:
        return max(kept, key=lambda point: (point.accuracy, -point.escalated))
    return min(found, key=lambda point: point.escalated)


def pareto(found: Sequence[Point]) -> tuple[Point, ...]:
    """Return the points that no other one beats in accuracy with as few escalated.

    Latency, energy and cost all grow with the share escalated, so one frontier is theirs too.
    """
    best = -1.0
    kept: list[Point] = []
    for point in sorted(found, key=lambda one: (one.escalated, -one.accuracy)):
        if point.accuracy > best:
            kept.append(point)
            best = point.accuracy
    return tuple(kept)


def mean_of(expense: Expense | Absent, escalated: float) -> float | None:
    """Return the mean of a mixture, or None where a side of it is not known."""
    return expense.mixed(escalated) if isinstance(expense, Expense) else None


def slowest(budget: Budget, escalated: float) -> float | Absent:
    """Return the 99th percentile of a mixture's latency in ns, or why it is not known."""
    if isinstance(budget.tail, Absent):
        return budget.tail
    return percentile(budget.tail, escalated)


def _point(sides: Sides, budget: Budget, threshold: float) -> Point:
    escalated = sides.confidences <= threshold
    share = float(escalated.mean())
    p99 = slowest(budget, share)
    return Point(
        threshold=threshold,
        escalated=share,
        accuracy=float(right(sides, escalated).mean()),
        mean_latency_ns=mean_of(budget.latency, share),
        p99_ns=None if isinstance(p99, Absent) else p99,
        energy_j=mean_of(budget.energy, share),
        cost=mean_of(budget.cost, share),
    )


def _within(point: Point, wanted: Wanted) -> bool:
    """Tell whether a point keeps every limit; what is not known keeps none."""
    pairs = (
        (point.escalated, wanted.max_escalated),
        (point.mean_latency_ns, wanted.max_latency_ns),
        (point.p99_ns, wanted.max_p99_ns),
        (point.energy_j, wanted.max_energy_j),
        (point.cost, wanted.max_cost),
    )
    return all(limit is None or (value is not None and value <= limit) for value, limit in pairs)
