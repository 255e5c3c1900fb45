"""Where variance comes from, level by level: calls in processes, processes on days. Pure.

Kalibera and Jones, Rigorous benchmarking in reasonable time (ISMM 2013), sections 5 and 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray


class Levels(Struct, frozen=True, kw_only=True):
    """Variances from the innermost level to the outermost.

    `biased` (S squared): between the means of a level, noise from below included. `unbiased`
    (T squared): without it; at or below 0 where a level adds nothing.
    """

    biased: tuple[float, ...]
    unbiased: tuple[float, ...]


def levels(values: ArrayLike) -> Levels:
    """Return the variances of a full table, its axes from the outermost level to the innermost.

    S_i^2 is the mean variance of the means below level i, T_i^2 = S_i^2 - S_{i-1}^2 / n_{i-1}.
    Raises ValueError for a level of one.
    """
    table: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    if not table.ndim or min(table.shape) < 2:
        raise ValueError(f"a variance needs two of each level, not {table.shape}")
    biased: list[float] = []
    unbiased: list[float] = []
    below = 0.0
    while table.ndim:
        found = float(table.var(axis=-1, ddof=1).mean())
        biased.append(found)
        unbiased.append(found - below)
        below = found / table.shape[-1]
        table = table.mean(axis=-1)
    return Levels(biased=tuple(biased), unbiased=tuple(unbiased))


def repetitions(unbiased: Sequence[float], costs: Sequence[float]) -> tuple[int, ...]:
    """Return how often each level but the outermost is best repeated.

    `costs` are what one more of each level costs, in one unit: of a call, of a process, of a day.
    n_i = ceil(sqrt(c_{i+1} / c_i * T_i^2 / T_{i+1}^2)); 1 where a level adds no noise of its own.
    """
    pairs = zip(unbiased, unbiased[1:], costs, costs[1:], strict=False)
    return tuple(
        max(1, ceil(sqrt(outer_cost / cost * inner / outer))) if inner > 0 and outer > 0 else 1
        for inner, outer, cost, outer_cost in pairs
    )
