"""MLPerf's early stopping: how many of the slowest calls an estimate may leave out.

The rule of MLPerf inference's LoadGen (mlcommons/inference, loadgen/early_stopping.cc and
results.cc), written anew from its definition by the binomial distribution.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from msgspec import Struct

from steelyard.stats.binomial import binomial_cdf
from steelyard.stats.percentiles import Samples, TooFew

MLPERF_CONFIDENCE = 0.99


class EarlyStop(Struct, frozen=True, kw_only=True):
    """A percentile's estimate in MLPerf's sense: the slowest call left after `discards`.

    The percentile lies below `value` with the confidence asked, or a little more: the rule
    counts one call of the estimate as over it.
    """

    p: float
    value: float
    discards: int
    n: int


@lru_cache(maxsize=4096)
def passing_needed(
    over: int, p: float, confidence: float = MLPERF_CONFIDENCE, tolerance: float = 0.0
) -> int:
    """Return how many calls in time must stand beside `over` late ones to trust the percentile.

    The least h for which at most `over` late calls of h + `over` have a probability below
    1 - confidence, were the share in time p - tolerance.
    """
    if over < 0 or not 0 < p - tolerance < 1:
        raise ValueError(f"{over} late calls at {p} less {tolerance}: no such case")

    def trusted(passing: int) -> bool:
        late = 1 - (p - tolerance)
        return binomial_cdf(over, passing + over, late) < 1 - confidence

    high = 1
    while not trusted(high):
        high *= 2
    return _least(high // 2, high, trusted)


def early_stop(
    samples: Samples, p: float, confidence: float = MLPERF_CONFIDENCE
) -> EarlyStop | TooFew:
    """Return MLPerf's SingleStream estimate of a percentile, or how many samples are missing."""
    n = len(samples)
    needed = passing_needed(1, p, confidence) + 1
    if n < needed:
        return TooFew(p=p, n=n, needed=needed)

    def refused(late: int) -> bool:
        return binomial_cdf(late, n, 1 - p) >= 1 - confidence

    late = _least(1, n, refused) - 1
    ordered = np.partition(np.asarray(samples), n - late)
    return EarlyStop(p=p, value=float(ordered[n - late]), discards=late - 1, n=n)


def _least(false: int, true: int, holds: Callable[[int], bool]) -> int:
    """Return the least number that holds, between one that does not and one that does."""
    while true - false > 1:
        middle = (false + true) // 2
        if holds(middle):
            true = middle
        else:
            false = middle
    return true
