"""Cut the picture of a line into glyphs and describe each by numbers; numpy only."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

ROWS, COLUMNS = 16, 10
# A gap wider than this share of the line's height is a blank.
BLANK = 0.24
SIZE = ROWS * COLUMNS + 1


class Glyphs(Struct, frozen=True, kw_only=True):
    """The glyphs of a line from left to right: a row of numbers each, and before which is a blank.

    `vectors` is (glyphs, SIZE): grey values of a raster over the line's height, then the width.
    """

    vectors: Any  # Vectors; msgspec cannot decode arrays and never has to
    blanks: tuple[int, ...]


def threshold(picture: Any) -> int:
    """Return the grey value that parts ink from paper best (Otsu, IEEE Trans. SMC 9, 1979)."""
    counts = np.bincount(np.asarray(picture).ravel(), minlength=256).astype(np.float64)
    dark = counts.cumsum()
    light = dark[-1] - dark
    mass = (counts * np.arange(256)).cumsum()
    defined = (dark > 0) & (light > 0)
    apart = mass[-1] * dark - mass * dark[-1]
    between = np.divide(apart**2, dark * light, out=np.zeros(256), where=defined)
    return int(between.argmax())


def cut(picture: Any) -> Glyphs:
    """Return the glyphs of a |u1 picture of height x width: runs of columns with ink in them."""
    ink = np.asarray(picture) <= threshold(picture)
    rows = np.flatnonzero(ink.sum(axis=1) > 1)
    if not len(rows):
        return Glyphs(vectors=np.zeros((0, SIZE), np.float32), blanks=())
    line = ink[rows[0] : rows[-1] + 1]
    runs = _runs(line.any(axis=0))
    gaps = [after[0] - before[1] for before, after in pairwise(runs)]
    wide = BLANK * len(line)
    blanks = tuple(place for place, gap in enumerate(gaps, 1) if gap > wide)
    return Glyphs(vectors=np.stack([_vector(line[:, a:b]) for a, b in runs]), blanks=blanks)


def _runs(inked: Any) -> list[tuple[int, int]]:
    """Return first and one past the last of each run of columns with ink."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inked.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _vector(glyph: Any) -> Vectors:
    """Return a glyph's share of ink in each cell of a raster, and its width over its height."""
    height, width = glyph.shape
    made = _averaged(_averaged(glyph.astype(np.float32), ROWS).T, COLUMNS).T
    return np.append(made.ravel(), np.float32(4 * width / height)).astype(np.float32)


def _averaged(values: Any, cells: int) -> Any:
    """Return the mean of each of `cells` equal stretches of the rows, borders shared by weight."""
    sums = np.concatenate([np.zeros((1, values.shape[1]), np.float32), values.cumsum(axis=0)])
    at = np.linspace(0, len(values), cells + 1)
    near = np.minimum(at.astype(np.intp), len(values) - 1)
    part = (at - near)[:, None]
    reached = sums[near] * (1 - part) + sums[near + 1] * part
    return np.diff(reached, axis=0) * (cells / len(values))
