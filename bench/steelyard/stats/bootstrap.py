"""The paired bootstrap: two metrics on the same draws of items, or of clusters of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.stats.binomial import CONFIDENCE, normal_quantile
from steelyard.stats.percentiles import percentile_interval
from steelyard.stats.student import student_quantile

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
# From how often each item was drawn, a row a draw, to the metric of each draw; nan: undefined.
Metric = Callable[[Counts], Floats]

DRAWS = 10_000
SEED = 0
# Counts held at once: 2 million of 8 bytes.
_AT_ONCE = 2_000_000


class Resampled(Struct, frozen=True, kw_only=True):
    """A paired difference, second less first, with the percentile interval of its draws.

    `error` is their standard deviation, of draws of clusters once widened; `undefined` is how many
    of the draws had no metric.
    """

    first: float
    second: float
    low: float
    high: float
    error: float
    undefined: int
    draws: tuple[float, ...]

    @property
    def estimate(self) -> float:
        """Return the difference as it was seen."""
        return self.second - self.first

    def p_above(self, bound: float) -> float:
        """Return the one-sided p-value that the difference is `bound` or less.

        The share of draws that are: the percentile interval inverted (Efron and Tibshirani, An
        Introduction to the Bootstrap, 15.4), with one draw added so that it is never 0.
        """
        at_most = sum(draw <= bound for draw in self.draws)
        return (at_most + 1) / (len(self.draws) + 1)

    def p_below(self, bound: float) -> float:
        """Return the one-sided p-value that the difference is `bound` or more."""
        at_least = sum(draw >= bound for draw in self.draws)
        return (at_least + 1) / (len(self.draws) + 1)

    def p_equal(self) -> float:
        """Return the two-sided p-value that there is no difference."""
        return min(1.0, 2 * min(self.p_above(0.0), self.p_below(0.0)))


def resample(
    first: Metric,
    second: Metric,
    clusters: NDArray[np.intp],
    draws: int = DRAWS,
    seed: int = SEED,
) -> Resampled | None:
    """Draw clusters with replacement and compare both metrics on each draw.

    `clusters` has the number of each item's cluster, from 0: `numpy.arange(n)` draws items. Draws
    of few clusters vary too little: where items share clusters, each draw's distance from the
    estimate is widened by `widening`. None where the metrics are undefined on all items, or on
    every draw.
    """
    whole = np.ones((1, len(clusters)), dtype=np.int64)
    seen = float(first(whole)[0]), float(second(whole)[0])
    parts = [second(counts) - first(counts) for counts in _counts(clusters, draws, seed)]
    drawn = np.concatenate(parts) if parts else np.empty(0)
    known = drawn[np.isfinite(drawn)]
    if len(known) < 2 or not np.isfinite(seen).all():
        return None
    number = int(clusters.max()) + 1
    if number < len(clusters):
        estimate = seen[1] - seen[0]
        known = estimate + (known - estimate) * widening(number)
    low, high = percentile_interval(known)
    return Resampled(
        first=seen[0],
        second=seen[1],
        low=low,
        high=high,
        error=float(known.std(ddof=1)),
        undefined=len(drawn) - len(known),
        draws=tuple(known.tolist()),
    )


def widening(clusters: int) -> float:
    """Return what widens a percentile interval of draws of few clusters to its nominal level.

    The expanded percentile interval of Hesterberg, What Teachers Should Know about the Bootstrap
    (The American Statistician, 2015), 4.3: Student's t for the normal, n - 1 for n.
    """
    if clusters < 2:
        return math.inf
    spread = math.sqrt(clusters / (clusters - 1))
    return spread * student_quantile(clusters - 1) / normal_quantile(CONFIDENCE)


def _counts(clusters: NDArray[np.intp], draws: int, seed: int) -> Iterator[Counts]:
    """Yield how often each item was drawn, in blocks of draws that fit in memory."""
    number = int(clusters.max()) + 1
    rows = max(1, _AT_ONCE // max(number, len(clusters)))
    generator = np.random.default_rng(seed)
    for start in range(0, draws, rows):
        size = min(rows, draws - start)
        chosen = generator.integers(0, number, size=(size, number))
        flat = (chosen + np.arange(size)[:, None] * number).ravel()
        counted = np.bincount(flat, minlength=size * number).reshape(size, number)
        yield counted[:, clusters].astype(np.int64, copy=False)
