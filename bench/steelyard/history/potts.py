"""A step function through a series: least absolute deviations plus a penalty a step (Potts)."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

# In spreads of the noise times the logarithm of the number of points; by benchmarks/history.py.
WEIGHT = 1.8
# The median difference of neighbours in normal noise: 0.6745 times the root of 2 spreads.
DIFFERENCE = 0.9539


def fit(values: Sequence[float], penalty: float, shortest: int = 1) -> tuple[int, ...]:
    """Return the ends of the segments, each one past its last point.

    They make the sum of absolute deviations from the segments' medians, plus `penalty` a step,
    least; exact, by dynamic programming (Friedrich et al., JCGS 17(1), 2008). The time grows with
    the square of the number of values.
    """
    best = [-penalty]
    starts = [0]
    for end in range(1, len(values) + 1):
        cost, start = _cheapest(values, end, best, penalty, shortest)
        best.append(cost)
        starts.append(start)
    return _walked(starts) if values else ()


def steps(values: Sequence[float], finest: float, shortest: int) -> tuple[int, ...]:
    """Return where a new level begins, the penalty by the noise between neighbours.

    `finest` is the least noise to believe in.
    """
    if len(values) < 2 * shortest:
        return ()
    penalty = WEIGHT * max(noise(values), finest) * math.log(len(values))
    return fit(values, penalty, shortest)[:-1]


def noise(values: Sequence[float]) -> float:
    """Return the spread of the noise from neighbours' differences, which few steps disturb."""
    differences = [abs(b - a) for a, b in pairwise(values)]
    return median(differences) / DIFFERENCE if differences else 0.0


def _cheapest(
    values: Sequence[float], end: int, best: list[float], penalty: float, shortest: int
) -> tuple[float, int]:
    """Return the least cost of all up to `end`, and where its last segment starts."""
    found, at = math.inf, 0
    cost = 0.0
    ordered: list[float] = []
    for start in range(end - 1, -1, -1):
        cost += _more(ordered, values[start])
        if cost > found:
            break  # A longer segment costs no less, and what is before it nothing below 0.
        total = best[start] + penalty + cost
        if end - start >= shortest and total <= found:
            found, at = total, start
    return found, at


def _more(ordered: list[float], value: float) -> float:
    """Add a value; return by how much the sum of absolute deviations from the median grows.

    That is its distance from what was the median, or from the nearer of two.
    """
    count = len(ordered)
    grown = 0.0
    if count:
        low, high = ordered[(count - 1) // 2], ordered[count // 2]
        grown = max(low - value, value - high, 0.0)
    insort(ordered, value)
    return grown


def _walked(starts: list[int]) -> tuple[int, ...]:
    ends = []
    end = len(starts) - 1
    while end > 0:
        ends.append(end)
        end = starts[end]
    return tuple(reversed(ends))
