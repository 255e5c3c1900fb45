"""Percentiles as order statistics, each with an interval of order statistics."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import ceil, log, sqrt
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.stats.binomial import CONFIDENCE, binomial_cdfs

Samples = Sequence[int] | Sequence[float] | NDArray[Any]

# Shares of the error (1 - confidence): how far above it the coverage of a pair of ranks is as
# good as on it, and how far off the best pair may lie before the interval is refused.
_SLACK = 1 / 5
_TOO_FAR = 1 / 3
_TRIED = 16


class Quantile(Struct, frozen=True, kw_only=True):
    """A percentile that was seen: an order statistic, its interval, the samples behind it.

    `coverage` is the interval's own: exact for samples of any continuous distribution, drawn
    independently; no less where values tie.
    """

    p: float
    value: float
    low: float
    high: float
    n: int
    coverage: float


class TooFew(Struct, frozen=True, kw_only=True):
    """A percentile that `n` samples cannot tell; `needed` of them could."""

    p: float
    n: int
    needed: int

    @property
    def reason(self) -> str:
        """Say what is missing, ready to print."""
        return f"{percentile_name(self.p)} needs {self.needed} samples, there are {self.n}"


class Unserved(Struct, frozen=True, kw_only=True):
    """A percentile that lies, or may lie, among arrivals that were never answered."""

    p: float
    n: int
    unserved: int

    @property
    def reason(self) -> str:
        """Say what is missing, ready to print."""
        return (
            f"{percentile_name(self.p)} may lie among the {self.unserved} of {self.n} arrivals "
            "that were never answered"
        )


class Ranks(NamedTuple):
    """The ranks, from 1, of an interval's ends, and the probability that it covers."""

    low: int
    high: int
    coverage: float


def percentile(samples: Samples, p: float, confidence: float = CONFIDENCE) -> Quantile | TooFew:
    """Return the order statistic `sorted[ceil(p*n)-1]` with its interval, or what n is missing.

    The interval is of order statistics too: X(l)..X(u) covers the percentile with the probability
    that l..u-1 of n samples lie below it (David and Nagaraja, Order Statistics, 7.1), which holds
    for any distribution. Ranks are whole, so no pair has the asked confidence to the point; see
    `interval_ranks` for the one chosen. Nothing is interpolated.
    """
    n = len(samples)
    needed = samples_needed(p, confidence)
    if n < needed:
        return TooFew(p=p, n=n, needed=needed)
    ranks = interval_ranks(n, p, confidence)
    middle = rank(p, n)
    # A partial sort: a sustained run keeps a million samples.
    ordered = np.partition(np.asarray(samples), [ranks.low - 1, middle - 1, ranks.high - 1])
    return Quantile(
        p=p,
        value=float(ordered[middle - 1]),
        low=float(ordered[ranks.low - 1]),
        high=float(ordered[ranks.high - 1]),
        n=n,
        coverage=ranks.coverage,
    )


def served_percentile(
    samples: Samples, unserved: int, p: float, confidence: float = CONFIDENCE
) -> Quantile | TooFew | Unserved:
    """Return the percentile over all arrivals, of which `unserved` took longer than all others.

    Leaving them out would report the patience of those who were served.
    """
    n = len(samples) + unserved
    known = np.asarray(samples, dtype=np.float64)
    seen = percentile(np.concatenate([known, np.full(unserved, np.inf)]), p, confidence)
    if isinstance(seen, Quantile) and np.isinf(seen.high):
        return Unserved(p=p, n=n, unserved=unserved)
    return seen


@lru_cache(maxsize=256)
def samples_needed(p: float, confidence: float = CONFIDENCE) -> int:
    """Return the least n from which an interval is given.

    Its minimum and maximum must enclose the percentile with `confidence`, and some pair of ranks
    must come within a third of the error: 8 for p50, 29 for p90, 299 for p99, 2995 for p99.9.
    """
    if not 0 < p < 1:
        raise ValueError(f"a percentile lies between 0 and 1, not at {p}")
    error = 1 - confidence
    n = max(2, ceil(log(error) / log(max(p, 1 - p))) - 1)
    while p**n + (1 - p) ** n > error:
        n += 1
    while abs(interval_ranks(n, p, confidence).coverage - confidence) > error * _TOO_FAR:
        n += 1
    return n


def percentile_name(p: float) -> str:
    """Return how a percentile is called: p50, p99, p99.9."""
    return f"p{100 * p:.10g}"


def percentile_interval(
    draws: NDArray[np.float64], confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Return the percentile interval of bootstrap draws (Efron 1979)."""
    if draws.size == 0 or not bool(np.isfinite(draws).all()):
        raise ValueError("an interval needs draws, all of them finite")
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, (tail, 1 - tail))
    return float(low), float(high)


def rank(p: float, n: int) -> int:
    """Return ceil(p*n), undisturbed by 0.07 * 100 being 7.000000000000001."""
    return ceil(round(p * n, 6))


@lru_cache(maxsize=1024)
def interval_ranks(n: int, p: float, confidence: float = CONFIDENCE) -> Ranks:
    """Return the ranks between which the percentile lies with about `confidence`.

    Of the pairs that cover with `confidence` or up to a fifth of the error more, the one with the
    most equal tails; where there is none, the pair whose coverage is nearest. Equal tails alone
    would cover up to 0.99 of p99 at 0.95 asked. Ties go to the higher pair, which never makes a
    latency look better.
    """
    lows, lower, highs, upper = _tails(n, p, confidence)
    coverage = 1 - lower[:, None] - upper[None, :]
    possible = lows[:, None] < highs[None, :]
    error = 1 - confidence
    off = coverage - confidence
    good = possible & (off > -1e-9) & (off <= error * _SLACK)
    cost = np.abs(lower[:, None] - upper[None, :]) if good.any() else np.abs(off)
    cost = np.where(good if good.any() else possible, np.round(cost, 12), np.inf)
    # The last of equals: ranks grow along both axes.
    place = cost.size - 1 - int(np.argmin(cost.ravel()[::-1]))
    i, j = divmod(place, cost.shape[1])
    return Ranks(int(lows[i]), int(highs[j]), float(coverage[i, j]))


def _tails(
    n: int, p: float, confidence: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the ranks tried for both ends and the error that each leaves outside.

    Below rank l lies the percentile if at most l - 1 samples lie below it, above rank u if at
    least u do.
    """
    reach = ceil(6 * sqrt(n * p * (1 - p))) + _TRIED
    first, last = max(0, int(n * p) - reach), min(n - 1, ceil(n * p) + reach)
    at_most = binomial_cdfs(first, last, n, p)
    ranks = np.arange(first + 1, last + 2)
    tail = (1 - confidence) / 2
    left = _around(int(np.searchsorted(at_most, tail)), len(ranks))
    right = _around(int(np.searchsorted(at_most, 1 - tail)), len(ranks))
    return ranks[left], at_most[left], ranks[right], 1 - at_most[right]


def _around(place: int, length: int) -> slice:
    return slice(max(0, place - _TRIED), min(length, place + _TRIED))
