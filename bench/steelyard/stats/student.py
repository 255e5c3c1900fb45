"""Student's t distribution for whole degrees of freedom, without scipy, which a board lacks."""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma, log

from steelyard.stats.binomial import CONFIDENCE

_TINY = 1e-300
_STEPS = 500


def student_tail(t: float, freedom: int) -> float:
    """Return P(T > t); the relative error is about 1e-12.

    Raises ValueError for less than one degree of freedom.
    """
    if freedom < 1:
        raise ValueError(f"{freedom} degrees of freedom, expected 1 or more")
    whole = freedom + t * t
    tail = _incomplete_beta(freedom / whole, t * t / whole, freedom / 2, 0.5) / 2
    return tail if t >= 0 else 1 - tail


@lru_cache(maxsize=4096)
def student_quantile(freedom: int, confidence: float = CONFIDENCE) -> float:
    """Return the t beyond which, on either side, half of the error lies: the tail by bisection."""
    left = (1 - confidence) / 2
    low, high = 0.0, 1.0
    while student_tail(high, freedom) > left:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if student_tail(middle, freedom) > left else (low, middle)
    return high


def _incomplete_beta(x: float, rest: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b) (DLMF 8.17); `rest` is 1 - x.

    By the continued fraction 8.17.22, on the side where it converges fast, 8.17.4 for the other.
    """
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(rest))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(rest, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Return 1 / (1 + d1 / (1 + d2 / (1 + ...))) of DLMF 8.17.22, by Lentz's method."""
    upper, lower = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = lower
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            lower = 1 / _away(1 + step * lower)
            upper = _away(1 + step / upper)
            value *= upper * lower
        if abs(upper * lower - 1) < 1e-15:
            break
    return value


def _away(value: float) -> float:
    """Keep a divisor from being 0."""
    return value if abs(value) > _TINY else _TINY
