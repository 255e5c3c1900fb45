"""Recall at a bounded false-positive rate, from scores, and its bootstrap draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Draws held in memory at once: 250 x 10,000 items x 8 bytes are 20 MB.
_AT_ONCE = 250


def recall_at_fpr(positive: Bools, scores: Floats, max_fpr: float) -> float:
    """Return the highest recall of any threshold whose false-positive rate is within `max_fpr`.

    The maximum of `tpr[fpr <= max_fpr]` of scikit-learn's `roc_curve(drop_intermediate=False)`.
    """
    order, ends = _ranked(scores)
    weights = np.ones((1, len(scores)), dtype=np.int64)
    return float(_recalls(weights, positive[order], ends, max_fpr)[0])


def recall_draws(positive: Bools, scores: Floats, max_fpr: float, n: int, seed: int) -> Floats:
    """Return the recall of `n` bootstrap draws over items, less those that lack a class."""
    order, ends = _ranked(scores)
    items = len(scores)
    generator = np.random.default_rng(seed)
    found = []
    for start in range(0, n, _AT_ONCE):
        rows = min(_AT_ONCE, n - start)
        drawn = generator.integers(0, items, size=(rows, items))
        flat = (drawn + np.arange(rows)[:, None] * items).ravel()
        weights = np.bincount(flat, minlength=rows * items).reshape(rows, items)
        found.append(_recalls(weights, positive[order], ends, max_fpr))
    recalls = np.concatenate(found)
    return recalls[~np.isnan(recalls)]


def recall_weighted(
    positive: Bools, scores: Floats, max_fpr: float, counts: NDArray[np.int64]
) -> Floats:
    """Return the recall of draws in which each item occurs `counts` times, a row a draw."""
    order, ends = _ranked(scores)
    rows = [
        _recalls(counts[start : start + _AT_ONCE, order], positive[order], ends, max_fpr)
        for start in range(0, len(counts), _AT_ONCE)
    ]
    return np.concatenate(rows)


def _ranked(scores: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the items from the highest score down, and where each run of equal scores ends."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(scores) - 1)
    return order, ends


def _recalls(
    weights: NDArray[np.int64], positive: Bools, ends: NDArray[np.intp], max_fpr: float
) -> Floats:
    """Return the recall of each row of item weights, ranked; nan where a class is missing.

    A threshold takes items with equal scores together: only the ends of their runs count.
    """
    hits = np.cumsum(weights * positive, axis=1)[:, ends]
    alarms = np.cumsum(weights * ~positive, axis=1)[:, ends]
    hits_in_all, alarms_in_all = hits[:, -1], alarms[:, -1]
    # Divide as scikit-learn does: comparing counts instead differs in the last bit of the rate.
    allowed = alarms / np.maximum(alarms_in_all, 1)[:, None] <= max_fpr
    best = np.where(allowed, hits, 0).max(axis=1)
    known = (hits_in_all > 0) & (alarms_in_all > 0)
    return np.where(known, best / np.maximum(hits_in_all, 1), np.nan)
