"""Student's t distribution for whole degrees of freedom, without scipy."""

from __future__ import annotations

import math

from steelyard.stats.binomial import CONFIDENCE, normal_quantile

# Beyond it the two quantiles differ by less than a thousandth.
_NEARLY_NORMAL = 2500


def student_quantile(freedom: int, confidence: float = CONFIDENCE) -> float:
    """Return the quantile of t that leaves half of the error on each side.

    Abramowitz and Stegun 26.7.3 and 26.7.4, inverted by bisection. Raises ValueError for less than
    one degree of freedom.
    """
    if freedom < 1:
        raise ValueError(f"{freedom} degrees of freedom, expected 1 or more")
    if freedom > _NEARLY_NORMAL:
        return normal_quantile(confidence)
    low, high = 0.0, 1.0
    while _between(high, freedom) < confidence:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _between(middle, freedom) < confidence else (low, middle)
    return high


def _between(t: float, freedom: int) -> float:
    """Return the probability between -t and t."""
    theta = math.atan2(t, math.sqrt(freedom))
    sine, cosine = math.sin(theta), math.cos(theta)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = term if freedom > 1 else 0.0
    for k in range(3 if odd else 2, freedom - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    return 2 / math.pi * (theta + sine * total) if odd else sine * total
