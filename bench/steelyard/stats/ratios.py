"""Ratios of two measured figures, with an interval from the intervals of both."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct


class Figure(Struct, frozen=True, kw_only=True):
    """A positive figure between two bounds, both the figure itself where it is exact."""

    value: float
    low: float
    high: float


class Ratio(NamedTuple):
    """A ratio and its interval; `high` is None where nothing bounds it."""

    estimate: float
    low: float
    high: float | None


def exact(value: float) -> Figure:
    """Return a figure without an interval."""
    return Figure(value=value, low=value, high=value)


def ratio(over: Figure, under: Figure) -> Ratio | None:
    """Return over / under, from over.low / under.high to over.high / under.low.

    Conservative: of two 95 % intervals, independent and each right on its own, both are right at
    least 90 % of the time, and the ratio is outside only where both err far enough in opposite
    directions: 95 % and more where the errors are about normal. Bounds of a model, whose errors
    may be of one sign, are covered just the same. None where the ratio is not defined.
    """
    if over.value <= 0 or under.value <= 0:
        return None
    high = over.high / under.low if under.low > 0 else None
    return Ratio(over.value / under.value, max(0.0, over.low) / under.high, high)
