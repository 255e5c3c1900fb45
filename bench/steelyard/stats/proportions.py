"""Proportions and pairs of them: Wilson, McNemar, Agresti-Min."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

from steelyard.stats.binomial import CONFIDENCE, binomial_cdf, normal_quantile


class Difference(NamedTuple):
    """A difference of two proportions on the same items: second less first."""

    estimate: float
    low: float
    high: float


def wilson(successes: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion (Wilson 1927, without correction)."""
    if not 0 <= successes <= n or n < 1:
        raise ValueError(f"{successes} successes of {n} are no proportion")
    z = normal_quantile(confidence)
    centre = (successes + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * sqrt(successes * (n - successes) / n + z * z / 4)
    # Exact ends, which rounding would miss by an ulp.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high


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
    half = normal_quantile(confidence) * sqrt(b1 + c1 - (c1 - b1) ** 2 / n1) / n1
    return Difference((c - b) / n, max(-1.0, centre - half), min(1.0, centre + half))
