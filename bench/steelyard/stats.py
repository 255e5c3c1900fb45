"""Pure statistics: proportions, order statistics, paired answers, a settled warm-up."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import ceil, exp, lgamma, log, log1p, sqrt
from statistics import NormalDist, median
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

CONFIDENCE = 0.95
SETTLED_WITHIN = 0.025

_ENOUGH_TO_SETTLE = 10
_LOOKED_AT = 256


class Quantile(Struct, frozen=True, kw_only=True):
    """A percentile that was seen: an order statistic, its interval, the samples behind it."""

    p: float
    value: float
    low: float
    high: float
    n: int


class TooFew(Struct, frozen=True, kw_only=True):
    """A percentile that `n` samples cannot tell; `needed` of them could."""

    p: float
    n: int
    needed: int

    @property
    def reason(self) -> str:
        """Say what is missing, ready to print."""
        return f"{percentile_name(self.p)} needs {self.needed} samples, there are {self.n}"


class Difference(NamedTuple):
    """A difference of two proportions on the same items: second less first."""

    estimate: float
    low: float
    high: float


def wilson(successes: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion (Wilson 1927, without correction)."""
    if not 0 <= successes <= n or n < 1:
        raise ValueError(f"{successes} successes of {n} are no proportion")
    z = _z(confidence)
    centre = (successes + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * sqrt(successes * (n - successes) / n + z * z / 4)
    # Exact ends, which rounding would miss by an ulp.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high


def percentile(
    samples: Sequence[int] | Sequence[float] | NDArray[Any],
    p: float,
    confidence: float = CONFIDENCE,
) -> Quantile | TooFew:
    """Return the order statistic `sorted[ceil(p*n)-1]` with its interval, or what n is missing.

    The interval is of order statistics too: X(l)..X(u) covers the percentile with the probability
    that l..u-1 of n samples lie below it (David and Nagaraja, Order Statistics, 7.1), which holds
    for any distribution. Equal tails where n allows; else the maximum (or minimum) takes what it
    needs of the error and the other end gets the rest, so that the whole keeps its confidence.
    """
    n = len(samples)
    needed = samples_needed(p, confidence)
    if n < needed:
        return TooFew(p=p, n=n, needed=needed)
    ordered = np.sort(np.asarray(samples))
    low, high = _ranks(n, p, confidence)
    return Quantile(
        p=p,
        value=float(ordered[_rank(p, n) - 1]),
        low=float(ordered[low - 1]),
        high=float(ordered[high - 1]),
        n=n,
    )


def samples_needed(p: float, confidence: float = CONFIDENCE) -> int:
    """Return the least n whose minimum and maximum enclose the percentile with `confidence`."""
    if not 0 < p < 1:
        raise ValueError(f"a percentile lies between 0 and 1, not at {p}")
    error = 1 - confidence
    n = max(1, ceil(log(error) / log(max(p, 1 - p))) - 1)
    while p**n + (1 - p) ** n > error:
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


def mcnemar_exact(b: int, c: int) -> float:
    """Return the two-sided exact p-value that b and c discordant pairs are as likely."""
    if b == c:
        return 1.0
    return min(1.0, 2 * binomial_cdf(min(b, c), b + c, 0.5))


def paired_difference(b: int, c: int, n: int, confidence: float = CONFIDENCE) -> Difference:
    """Return second less first: b items only the first had right, c only the second, n in all.

    The interval is Wald's with half a pair added to each of the four counts (Agresti and Min,
    Statistics in Medicine 2005); the estimate is (c - b) / n as it was seen.
    """
    if min(b, c) < 0 or b + c > n or n < 1:
        raise ValueError(f"{b} and {c} discordant pairs of {n} cannot be")
    b1, c1, n1 = b + 0.5, c + 0.5, n + 2
    centre = (c1 - b1) / n1
    half = _z(confidence) * sqrt(b1 + c1 - (c1 - b1) ** 2 / n1) / n1
    return Difference((c - b) / n, max(-1.0, centre - half), min(1.0, centre + half))


def settled(samples_ns: Sequence[int], within: float = SETTLED_WITHIN) -> bool:
    """Tell whether the last quarter's median lies `within` a share of the quarter's before it.

    Medians, so that a stall does not count; at least five samples a quarter, and at most
    256 of them looked at, so that asking after every block of calls costs microseconds.
    """
    n = len(samples_ns)
    if n < _ENOUGH_TO_SETTLE:
        return False
    quarter = max(_ENOUGH_TO_SETTLE // 2, n // 4)
    step = ceil(quarter / _LOOKED_AT)
    last = median(samples_ns[n - quarter :: step])
    before = median(samples_ns[n - 2 * quarter : n - quarter : step])
    return abs(last - before) <= within * before


def binomial_pmf(k: int, n: int, p: float) -> float:
    """Return the probability of exactly k of n, to about 1e-9 of itself at n = 1e6."""
    if not 0 <= k <= n:
        return 0.0
    if p in (0.0, 1.0):
        return float(k == n * p)
    ways = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    return exp(ways + k * log(p) + (n - k) * log1p(-p))


def binomial_cdf(k: int, n: int, p: float) -> float:
    """Return the probability of at most k of n, summed over the tail that k lies in."""
    if k < 0:
        return 0.0
    if k >= n:
        return 1.0
    if k < n * p:
        return min(1.0, _lower_tail(k, n, p))
    return max(0.0, 1 - _lower_tail(n - k - 1, n, 1 - p))


def _lower_tail(k: int, n: int, p: float) -> float:
    """Sum pmf(k), pmf(k-1), ... by their ratios, as far as they can matter to a double."""
    first = binomial_pmf(k, n, p)
    reach = min(k, ceil(10 * sqrt(n * p * (1 - p))) + 100)
    j = np.arange(k, k - reach, -1, dtype=np.float64)
    ratios = j * (1 - p) / ((n - j + 1) * p)
    return first * (1 + float(np.cumprod(ratios).sum()))


def _rank(p: float, n: int) -> int:
    """Return ceil(p*n), undisturbed by 0.07 * 100 being 7.000000000000001."""
    return ceil(round(p * n, 6))


def _ranks(n: int, p: float, confidence: float) -> tuple[int, int]:
    """Return the ranks, from 1, between which the percentile lies with `confidence`."""
    error = 1 - confidence
    lower = min(max(error / 2, (1 - p) ** n), error - p**n)
    upper = error - lower

    def cdf(k: int) -> float:
        return binomial_cdf(k, n, p)

    low = bisect_right(range(n + 1), lower, key=cdf)
    high = bisect_left(range(n + 1), 1 - upper, key=cdf) + 1
    return max(1, low), min(n, high)


def _z(confidence: float) -> float:
    """Return the normal quantile that leaves half of the error on each side."""
    return NormalDist().inv_cdf((1 + confidence) / 2)
