"""Histograms of oriented gradients (Dalal and Triggs, CVPR 2005), in numpy alone.

The recipe trains on what the session computes. Orientations are unsigned, each pixel votes for one
of them with its magnitude, blocks of 2 x 2 cells overlap and are normalised by L2-Hys: the same
values as scikit-image's `hog` with those settings, without its need of scipy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.errors import WorkerError

# Whoever changes what a feature means changes this: artefacts name the version they were made with.
VERSION = 1
BLOCK = 2
LARGEST = 0.2  # a block's share of one orientation before it is normalised again
TINY = 1e-5

Picture = NDArray[np.float32]


class Grid(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a picture is divided: `cells` along its shorter side, each with so many orientations.

    Pixels are first averaged in squares, as long as the shorter side keeps `side` of them.
    """

    cells: int
    side: int
    orientations: int = 9


def features(array: Any, grid: Grid) -> NDArray[np.float32]:
    """Return the features of a greyscale picture, (height, width), of any numeric type.

    Raises WorkerError for another shape, or a picture too small for the grid.
    """
    picture = np.asarray(array, np.float32)
    if picture.ndim != 2 or min(picture.shape) < grid.cells:
        raise WorkerError(
            f"a picture of shape {np.shape(array)}; expected height x width of at least "
            f"{grid.cells} pixels each"
        )
    small = averaged(picture, max(1, min(picture.shape) // grid.side))
    pixels = min(small.shape) // grid.cells
    if pixels < 1:
        raise WorkerError(f"{grid.cells} cells do not fit into a side of {min(small.shape)} pixels")
    return blocks(histograms(small, pixels, grid.orientations)).ravel()


def averaged(picture: Picture, by: int) -> Picture:
    """Return the means of squares of `by` x `by` pixels; what is left at the far edges is cut."""
    if by == 1:
        return picture
    high, wide = picture.shape[0] // by, picture.shape[1] // by
    squares = picture[: high * by, : wide * by].reshape(high, by, wide, by)
    made: Picture = squares.mean(axis=(1, 3), dtype=np.float32)
    return made


def histograms(picture: Picture, pixels: int, orientations: int) -> NDArray[np.float64]:
    """Return (rows, columns, orientations) of cells of `pixels` x `pixels`, the mean of votes."""
    across, down = _gradients(picture)
    magnitude = np.hypot(down, across)
    share = np.arctan2(down, across) * np.float32(orientations / np.pi)
    # Half a turn more is the same orientation; -0.0 and rounding at the seam land on 0.
    chosen = np.floor(share).astype(np.intp) % orientations
    high, wide = picture.shape[0] // pixels, picture.shape[1] // pixels
    rows = (np.arange(high * pixels) // pixels)[:, None] * wide
    columns = (np.arange(wide * pixels) // pixels)[None]
    cut = (slice(high * pixels), slice(wide * pixels))
    places = (rows + columns) * orientations + chosen[cut]
    votes = np.bincount(places.ravel(), magnitude[cut].ravel(), high * wide * orientations)
    made: NDArray[np.float64] = votes.reshape(high, wide, orientations) / pixels**2
    return made


def blocks(cells: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return (rows, columns, 4 x orientations): overlapping blocks, normalised by L2-Hys."""
    if min(cells.shape[:2]) < BLOCK:
        raise WorkerError(f"{cells.shape[0]} x {cells.shape[1]} cells; a block takes 2 x 2")
    corners = [cells[:-1, :-1], cells[:-1, 1:], cells[1:, :-1], cells[1:, 1:]]
    made = np.concatenate(corners, axis=-1)
    made = np.minimum(_unit(made), LARGEST)
    return _unit(made).astype(np.float32)


def _gradients(picture: Picture) -> tuple[Picture, Picture]:
    """Return central differences across and down, not halved, 0 at the edges."""
    across, down = np.zeros_like(picture), np.zeros_like(picture)
    across[:, 1:-1] = picture[:, 2:] - picture[:, :-2]
    down[1:-1] = picture[2:] - picture[:-2]
    return across, down


def _unit(made: NDArray[np.float64]) -> NDArray[np.float64]:
    norm = np.sqrt((made**2).sum(axis=-1, keepdims=True) + TINY**2)
    divided: NDArray[np.float64] = made / norm
    return divided
