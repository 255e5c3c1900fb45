"""Metrics of a confusion matrix, as scikit-learn defines them, and their bootstrap draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


def confusion(expected: NDArray[np.intp], answered: NDArray[np.intp], labels: int) -> Counts:
    """Return counts by expected (row) and answered (column) label."""
    cells = np.bincount(expected * labels + answered, minlength=labels * labels)
    return cells.reshape(labels, labels).astype(np.int64)


def macro_f1(matrices: Counts) -> Floats:
    """Return the mean F1 over the labels that were expected or answered, a matrix each.

    scikit-learn: `f1_score(average="macro", zero_division=0)`.
    """
    true = np.diagonal(matrices, axis1=-2, axis2=-1)
    seen = matrices.sum(axis=-1) + matrices.sum(axis=-2)
    f1 = np.divide(2.0 * true, seen, out=np.zeros(seen.shape), where=seen > 0)
    return np.asarray(f1.sum(axis=-1) / (seen > 0).sum(axis=-1), dtype=np.float64)


def matthews(matrices: Counts) -> Floats:
    """Return the correlation of expected and answered labels, a matrix each; 0 if one is constant.

    Gorodkin's coefficient of many classes, as scikit-learn's `matthews_corrcoef`.
    """
    counts = matrices.astype(np.float64)
    expected, answered = counts.sum(axis=-1), counts.sum(axis=-2)
    n = expected.sum(axis=-1)
    right = np.trace(counts, axis1=-2, axis2=-1)
    covariance = right * n - (expected * answered).sum(axis=-1)
    spread = (n**2 - (expected**2).sum(axis=-1)) * (n**2 - (answered**2).sum(axis=-1))
    whole = np.zeros(np.shape(covariance))
    return np.asarray(np.divide(covariance, np.sqrt(spread), out=whole, where=spread > 0))


def draws(matrix: Counts, n: int, seed: int) -> Counts:
    """Return `n` confusion matrices of as many items drawn with replacement.

    Items in one cell are alike to these metrics, so that a multinomial draw over the cells is the
    bootstrap over the items. Only labels that occur are kept: others change no metric.
    """
    occurs = np.flatnonzero(matrix.sum(axis=0) + matrix.sum(axis=1))
    small = matrix[np.ix_(occurs, occurs)]
    rows, columns = np.nonzero(small)
    cells = small[rows, columns]
    total = int(cells.sum())
    drawn = np.random.default_rng(seed).multinomial(total, cells / total, size=n)
    out = np.zeros((n, len(occurs), len(occurs)), dtype=np.int64)
    out[:, rows, columns] = drawn
    return out
