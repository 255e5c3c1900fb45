"""Metrics of a confusion matrix, as scikit-learn defines them, and their bootstrap draws."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

# Draws made at once: a poor model of 52 labels fills 2,000 cells, 16 MB for 1,000 draws of them.
_AT_ONCE = 1000


class Totals(NamedTuple):
    """Per label (last axis): how often it was right, expected and answered; a row a draw."""

    right: Counts
    expected: Counts
    answered: Counts


def confusion(expected: NDArray[np.intp], answered: NDArray[np.intp], labels: int) -> Counts:
    """Return counts by expected (row) and answered (column) label."""
    cells = np.bincount(expected * labels + answered, minlength=labels * labels)
    return cells.reshape(labels, labels).astype(np.int64)


def totals(matrix: Counts) -> Totals:
    """Return the totals of one confusion matrix."""
    return Totals(np.diagonal(matrix), matrix.sum(axis=1), matrix.sum(axis=0))


def weighted_totals(
    expected: NDArray[np.intp], answered: NDArray[np.intp], labels: int, counts: Counts
) -> Totals:
    """Return the totals of draws in which each item occurs `counts` times, a row a draw."""
    truth, said = np.eye(labels)[expected], np.eye(labels)[answered]
    # In floats, which hold counts exactly: numpy multiplies whole numbers twenty times slower.
    adds = np.concatenate([truth * said, truth, said], axis=1)
    found = (counts.astype(np.float64) @ adds).astype(np.int64)
    return Totals(*np.split(found, 3, axis=1))


def macro_f1(counts: Totals) -> Floats:
    """Return the mean F1 over the labels that were expected or answered.

    scikit-learn: `f1_score(average="macro", zero_division=0)`.
    """
    seen = counts.expected + counts.answered
    f1 = np.divide(2.0 * counts.right, seen, out=np.zeros(seen.shape), where=seen > 0)
    return np.asarray(f1.sum(axis=-1) / (seen > 0).sum(axis=-1), dtype=np.float64)


def f1_of(counts: Totals, label: int) -> Floats:
    """Return one label's F1: the harmonic mean of its precision and recall.

    scikit-learn: `f1_score(average="binary", zero_division=0)`: 0 where the label was neither
    expected nor answered.
    """
    seen = counts.expected[..., label] + counts.answered[..., label]
    right = 2.0 * counts.right[..., label]
    return np.asarray(np.divide(right, seen, out=np.zeros(np.shape(seen)), where=seen > 0))


def matthews(counts: Totals) -> Floats:
    """Return the correlation of expected and answered labels; 0 if one is constant.

    Gorodkin's coefficient of many classes, as scikit-learn's `matthews_corrcoef`.
    """
    right, expected, answered = (part.astype(np.float64) for part in counts)
    n = expected.sum(axis=-1)
    covariance = right.sum(axis=-1) * n - (expected * answered).sum(axis=-1)
    spread = (n**2 - (expected**2).sum(axis=-1)) * (n**2 - (answered**2).sum(axis=-1))
    constant = np.zeros(np.shape(covariance))
    return np.asarray(np.divide(covariance, np.sqrt(spread), out=constant, where=spread > 0))


def draws(matrix: Counts, n: int, seed: int) -> Totals:
    """Return the totals of `n` bootstrap draws: as many items, drawn with replacement.

    Items in one cell are alike to these metrics, so that a multinomial draw over the cells is the
    bootstrap over the items.
    """
    rows, columns = np.nonzero(matrix)
    cells = matrix[rows, columns]
    size = int(cells.sum())
    # One column a label, one row a cell: what a cell adds to a label's totals. In floats, which
    # hold counts exactly: numpy multiplies whole numbers twenty times slower.
    expected, answered = np.eye(len(matrix))[rows], np.eye(len(matrix))[columns]
    adds = np.concatenate([expected * answered, expected, answered], axis=1)
    generator = np.random.default_rng(seed)
    found = []
    for start in range(0, n, _AT_ONCE):
        drawn = generator.multinomial(size, cells / size, size=min(_AT_ONCE, n - start))
        found.append((drawn.astype(np.float64) @ adds).astype(np.int64))
    return Totals(*np.split(np.concatenate(found), 3, axis=1))
