"""The binomial distribution, without scipy, which a board does not have."""

from __future__ import annotations

from math import ceil, exp, lgamma, log, log1p, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95


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


def binomial_cdfs(first: int, last: int, n: int, p: float) -> NDArray[np.float64]:
    """Return the probabilities of at most `first`, `first` + 1, ..., `last` of n."""
    k = np.arange(first + 1, last + 1, dtype=np.float64)
    ratios = (n - k + 1) * p / (k * (1 - p))
    anchor = min(max(int(n * p), first), last)
    places = anchor - first
    up = np.cumprod(ratios[places:])
    down = np.cumprod(1 / ratios[:places][::-1])[::-1]
    masses = binomial_pmf(anchor, n, p) * np.concatenate([down, [1.0], up])
    masses[0] = binomial_cdf(first, n, p)
    return np.minimum(1.0, np.cumsum(masses))


def normal_quantile(confidence: float) -> float:
    """Return the normal quantile that leaves half of the error on each side."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _lower_tail(k: int, n: int, p: float) -> float:
    """Sum pmf(k), pmf(k-1), ... by their ratios, as far as they can matter to a double."""
    first = binomial_pmf(k, n, p)
    reach = min(k, ceil(10 * sqrt(n * p * (1 - p))) + 100)
    j = np.arange(k, k - reach, -1, dtype=np.float64)
    ratios = j * (1 - p) / ((n - j + 1) * p)
    return first * (1 + float(np.cumprod(ratios).sum()))
