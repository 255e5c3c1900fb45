"""E-divisive: split a series where the energy distance of both sides is largest, while it counts.

Matteson and James, JASA 109, 2014; the right side of a split reaches to its segment's end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from steelyard.stats import student_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

PERMUTATIONS = 199
LEVEL = 0.05
SEED = 20140


def splits(
    values: Sequence[float], shortest: int, level: float = LEVEL, seed: int = SEED
) -> tuple[int, ...]:
    """Return where new segments begin; the permutation test of each has significance `level`."""
    series = np.asarray(values, dtype=np.float64)
    draw = np.random.default_rng(seed)
    open_, found = [(0, len(series))], []
    while open_:
        start, end = open_.pop()
        at = _split(series[start:end], shortest, level, draw)
        if at is not None:
            found.append(start + at)
            open_ += [(start, start + at), (start + at, end)]
    return tuple(sorted(found))


def distances(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scaled energy distance of both sides of every split.

    Element k is of the split before value k + 1; sides of one value have no distance within.
    """
    count = len(series)
    apart = np.abs(series[:, None] - series[None, :])
    within_left = np.cumsum(np.triu(apart).sum(axis=0))[:-1]
    within_right = np.cumsum(np.tril(apart).sum(axis=0)[::-1])[::-1][1:]
    total = within_left[-1] + apart[:-1, -1].sum()
    left = np.arange(1, count, dtype=np.float64)
    right = count - left
    across = total - within_left - within_right
    mean_left = np.divide(
        2 * within_left, left * (left - 1), out=np.zeros_like(left), where=left > 1
    )
    mean_right = np.divide(
        2 * within_right, right * (right - 1), out=np.zeros_like(left), where=right > 1
    )
    scaled: NDArray[np.float64] = (2 * across / (left * right) - mean_left - mean_right) * (
        left * right / count
    )
    return scaled


def _split(
    series: NDArray[np.float64], shortest: int, level: float, draw: np.random.Generator
) -> int | None:
    if len(series) < 2 * shortest:
        return None
    at, most = _largest(series, shortest)
    if most <= 0:
        return None
    if _plain(series, at, level):
        return at
    allowed = int(level * (PERMUTATIONS + 1)) - 1
    reached = 0
    for _ in range(PERMUTATIONS):
        # What chance order reaches to the last digit, it reaches.
        reached += _largest(draw.permutation(series), shortest)[1] >= most * (1 - 1e-12)
        if reached > allowed:
            return None
    return at


def _plain(series: NDArray[np.float64], at: int, level: float) -> bool:
    """Tell whether Student's t is far beyond the level, counting that all places were tried.

    Then permutations, which are what takes time, would not say otherwise.
    """
    left, right = series[:at], series[at:]
    freedom = len(series) - 2
    squares = float(((left - left.mean()) ** 2).sum() + ((right - right.mean()) ** 2).sum())
    error = math.sqrt(squares / freedom * (1 / len(left) + 1 / len(right)))
    needed = student_quantile(freedom, 1 - level / 5 / len(series))
    return abs(float(right.mean() - left.mean())) > needed * error


def _largest(series: NDArray[np.float64], shortest: int) -> tuple[int, float]:
    found = distances(series)[shortest - 1 : len(series) - shortest]
    index = int(np.argmax(found))
    return index + shortest, float(found[index])
