"""Isotonic regression: the non-decreasing steps that fit outcomes best (Ayer et al. 1955)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Knots = tuple[tuple[float, float], ...]


def isotonic(at: Floats, outcomes: Floats) -> Floats:
    """Return the least-squares non-decreasing fit of outcomes, in the order of the input.

    Pool adjacent violators; items at the same place share one value.
    """
    places, which = np.unique(at, return_inverse=True)
    weights = np.bincount(which).astype(np.float64)
    means = np.bincount(which, weights=outcomes) / weights
    return _pooled(means, weights)[which] if places.size else np.empty(0)


def knots(at: Floats, outcomes: Floats) -> Knots:
    """Return a fit as (place, value) pairs, the ends of each step, ready to interpolate between.

    Values keep off 0 and 1 by 1/(n+2), what Laplace's rule gives n items that all agree: a
    probability of 1 would stake everything on never being wrong.
    """
    edge = 1 / (len(at) + 2)
    fitted = np.clip(isotonic(at, outcomes), edge, 1 - edge)
    found: list[tuple[float, float]] = []
    for x, y in sorted(set(zip(at.tolist(), fitted.tolist(), strict=True))):
        if len(found) > 1 and found[-1][1] == found[-2][1] == y:
            found.pop()
        found.append((x, y))
    return tuple(found)


def _pooled(means: Floats, weights: Floats) -> Floats:
    """Pool neighbours until means rise; one value a place."""
    blocks: list[tuple[float, float, int]] = []
    for mean, weight in zip(means.tolist(), weights.tolist(), strict=True):
        block = (mean, weight, 1)
        while blocks and blocks[-1][0] >= block[0]:
            before = blocks.pop()
            total = before[1] + block[1]
            pooled = (before[0] * before[1] + block[0] * block[1]) / total
            block = (pooled, total, before[2] + block[2])
        blocks.append(block)
    return np.repeat([mean for mean, _, _ in blocks], [size for _, _, size in blocks])
