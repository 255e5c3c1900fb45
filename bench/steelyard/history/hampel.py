"""Hampel's filter: a point far from its neighbours' median is replaced by it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

# Neighbours on each side: enough to outvote two outliers side by side.
REACH = 3
FAR = 3.0
# What the median absolute deviation of normal values is to be multiplied with for their spread.
TO_SPREAD = 1.4826


def filtered(values: Sequence[float], reach: int = REACH, far: float = FAR) -> tuple[float, ...]:
    """Return the values with outliers replaced (Pearson, IEEE TCST 10(1), 2002).

    A step stays where it is: the window around a point has more of its own side.
    """
    return tuple(_kept(values, index, reach, far) for index in range(len(values)))


def _kept(values: Sequence[float], index: int, reach: int, far: float) -> float:
    window = values[max(0, index - reach) : index + reach + 1]
    middle = median(window)
    spread = TO_SPREAD * median(abs(value - middle) for value in window)
    return middle if abs(values[index] - middle) > far * spread else values[index]
