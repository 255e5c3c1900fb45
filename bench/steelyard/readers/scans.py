"""Make a clean page look scanned: skew, blur, pale ink, grain, specks.

All is integer arithmetic on seeded hashes, so that a page gives the same picture on every machine.
"""

from __future__ import annotations

import hashlib

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.readers.sounds import Draws

Grey = NDArray[np.int64]

BITS = 16
WHITE = 255


class Scan(Struct, frozen=True, kw_only=True):
    """How a page was scanned.

    `slope` is what a line falls by a pixel of its length, in 2^-16; `blurs` how often neighbours
    are mixed 1:2:1 both ways; `paper` the grey of the paper, `ink` of 256 how black the ink is;
    `grain` the largest deviation of a pixel; `specks` dark pixels in 65,536.
    """

    slope: int
    blurs: int
    paper: int
    ink: int
    grain: int
    specks: int


# Slope in 2^-16: 458 is 0.4 degrees.
LEVELS = {
    "light": (200, (0, 1), (240, 252), (220, 256), (2, 6), (0, 1)),
    "medium": (458, (0, 2), (225, 248), (170, 230), (5, 11), (0, 2)),
    "heavy": (687, (1, 3), (205, 235), (110, 180), (10, 18), (1, 4)),
}


def scan(seed: str, level: str) -> Scan:
    """Draw how a page is scanned; `level` is light, medium or heavy."""
    draws = Draws(f"scan:{seed}")
    slope, *ranges = LEVELS[level]

    def between(low: int, high: int) -> int:
        return low + draws.below(high - low + 1)

    blurs, paper, ink, grain, specks = (between(*bounds) for bounds in ranges)
    return Scan(
        slope=between(-slope, slope), blurs=blurs, paper=paper, ink=ink, grain=grain, specks=specks
    )


def scanned(page: Grey, how: Scan, seed: str) -> NDArray[np.uint8]:
    """Return the picture of a clean page (height x width, 255 white) as the scan shows it."""
    grey = skewed(page, how.slope)
    for _ in range(how.blurs):
        grey = _mixed(_mixed(grey, 0), 1)
    grey = how.paper - ((WHITE - grey) * how.ink * how.paper) // (256 * WHITE)
    grey = _grained(grey, how, seed)
    return np.clip(grey, 0, WHITE).astype(np.uint8)


def moved(x: float, y: float, shape: tuple[int, int], slope: int) -> tuple[float, float]:
    """Return where a point of a clean page of a shape stands after `skewed`."""
    tilt = slope / (1 << BITS)
    down = y - (x - shape[1] // 2) * tilt
    return x + (down - shape[0] // 2) * tilt, down


def skewed(page: Grey, slope: int) -> Grey:
    """Turn a page about its middle by two shears, between pixels linearly."""
    upright = _sheared(page.T, slope).T  # each column up or down
    return _sheared(upright, -slope)  # each row left or right


def _sheared(rows: Grey, slope: int) -> Grey:
    """Return each row read from `slope` x its distance to the middle row further on."""
    height, width = rows.shape
    shift = (np.arange(height) - height // 2) * slope
    whole, part = shift >> BITS, shift & ((1 << BITS) - 1)
    most = int(np.abs(whole).max()) + 2
    wide = np.pad(rows, ((0, 0), (most, most)), constant_values=WHITE)
    at = np.arange(width)[None, :] + most + whole[:, None]
    near = np.take_along_axis(wide, at, 1)
    far = np.take_along_axis(wide, at + 1, 1)
    made: Grey = near + (((far - near) * part[:, None]) >> BITS)
    return made


def _mixed(grey: Grey, axis: int) -> Grey:
    """Return each pixel mixed 1:2:1 with its neighbours along an axis."""
    pad = [(1, 1) if each == axis else (0, 0) for each in range(2)]
    wide, size = np.pad(grey, pad, mode="edge"), grey.shape[axis]
    before, itself, after = (np.take(wide, np.arange(n, n + size), axis) for n in range(3))
    return (before + 2 * itself + after + 2) >> 2


def _grained(grey: Grey, how: Scan, seed: str) -> Grey:
    """Add grain, the sum of two uniform bytes, and specks."""
    digest = hashlib.shake_128(f"grain:{seed}".encode()).digest(4 * grey.size)
    drawn = np.frombuffer(digest, np.uint8).astype(np.int64).reshape(4, *grey.shape)
    grain = ((drawn[0] + drawn[1] - 255) * how.grain) // 256
    speck = (drawn[2] << 8) + drawn[3] < how.specks
    made: Grey = np.where(speck, how.paper // 3, grey + grain)
    return made
