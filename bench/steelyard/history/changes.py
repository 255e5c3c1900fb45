"""Change points of a series: what either search finds, and what then holds between neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import fmean, median

from msgspec import Struct

from steelyard.history import edivisive, hampel, potts
from steelyard.stats import student_quantile

# A change is called one when this many points show it.
PERSISTENCE = 3
# The searches choose the best of many places: what they found is asked for more than 95 %.
CONFIDENCE = 0.99
# Noise below this share of the least change that counts is none.
FINEST = 0.05
# The searches' time grows with the square: a longer series is searched in windows.
WINDOW, OVERLAP = 400, 100


class Rule(Struct, frozen=True, kw_only=True):
    """What counts as a change: `magnitude` is a share where `ratio`, else a difference."""

    magnitude: float
    ratio: bool = True
    persistence: int = PERSISTENCE


class Step(Struct, frozen=True, kw_only=True):
    """A change at `index`, the first value of the new level.

    `before` and `after` are the medians of the levels just beside it; then which search found it.
    """

    index: int
    before: float
    after: float
    potts: bool
    edivisive: bool


def detect(values: Sequence[float], rule: Rule) -> tuple[Step, ...]:
    """Return the changes of a series; where ratios count, its values are positive.

    A slow drift is none, however far it goes: each level is held against the one just before it.
    """
    scaled = [math.log(value) for value in values] if rule.ratio else list(values)
    least = math.log1p(rule.magnitude) if rule.ratio else rule.magnitude
    smooth = hampel.filtered(scaled)
    by_potts, by_distance = _searched(scaled, smooth, rule, least)
    found = _significant(_joined(by_potts, by_distance, rule.persistence), smooth)
    steps = (
        Step(
            index=at,
            before=median(values[start:at]),
            after=median(values[at:end]),
            potts=_near(at, by_potts, rule.persistence),
            edivisive=_near(at, by_distance, rule.persistence),
        )
        for start, at, end in _triples(found, len(values))
    )
    return tuple(step for step in steps if _counts(step, rule))


def _counts(step: Step, rule: Rule) -> bool:
    shift = abs(step.after - step.before)
    return shift >= rule.magnitude * (abs(step.before) if rule.ratio else 1.0)


def _searched(
    scaled: Sequence[float], smooth: Sequence[float], rule: Rule, least: float
) -> tuple[list[int], list[int]]:
    """Return what each search finds, window by window."""
    by_potts: set[int] = set()
    by_distance: set[int] = set()
    for start in range(0, max(1, len(scaled) - OVERLAP), WINDOW - OVERLAP):
        part = slice(start, start + WINDOW)
        steps = potts.steps(scaled[part], FINEST * least, rule.persistence)
        splits = edivisive.splits(smooth[part], rule.persistence)
        by_potts |= {start + at for at in steps}
        by_distance |= {start + at for at in splits}
    return sorted(by_potts), sorted(by_distance)


def _joined(first: Sequence[int], second: Sequence[int], apart: int) -> list[int]:
    """Return the union; of points nearer than `apart` one, the exact fit's before the other's."""
    clusters: list[list[int]] = []
    for point in sorted({*first, *second}):
        if clusters and point - clusters[-1][-1] < apart:
            clusters[-1].append(point)
        else:
            clusters.append([point])
    return [next((one for one in cluster if one in first), cluster[0]) for cluster in clusters]


def _significant(found: list[int], smooth: Sequence[float]) -> list[int]:
    """Take the weakest point out until all are significant between their neighbours."""
    while found:
        weights = [_weight(smooth, part) for part in _triples(found, len(smooth))]
        weakest = min(weights)
        if weakest >= 1:
            return found
        found = [one for one, weight in zip(found, weights, strict=True) if weight != weakest]
    return found


def _weight(values: Sequence[float], part: tuple[int, int, int]) -> float:
    """Return Student's t of both sides over the t that is significant."""
    start, at, end = part
    left, right = values[start:at], values[at:end]
    means = fmean(left), fmean(right)
    squares = sum((v - means[0]) ** 2 for v in left) + sum((v - means[1]) ** 2 for v in right)
    freedom = len(left) + len(right) - 2
    error = math.sqrt(squares / freedom * (1 / len(left) + 1 / len(right)))
    shift = abs(means[1] - means[0])
    if error <= 1e-12 * (abs(means[0]) + abs(means[1])):
        return math.inf if shift else 0.0
    return shift / error / student_quantile(freedom, CONFIDENCE)


def _triples(points: Sequence[int], count: int) -> Iterator[tuple[int, int, int]]:
    """Yield each point with where its level before begins and its level after ends."""
    ends = [0, *points, count]
    for (start, at), (_, end) in zip(pairwise(ends), pairwise(ends[1:]), strict=False):
        yield start, at, end


def _near(point: int, others: Sequence[int], apart: int) -> bool:
    return any(abs(point - other) < apart for other in others)
