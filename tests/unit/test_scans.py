"""Clean pages that are made to look scanned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.readers.scans import LEVELS, Scan, moved, scan, scanned, skewed

patient = settings(deadline=None, max_examples=25)
CLEAN = Scan(slope=0, blurs=0, paper=255, ink=256, grain=0, specks=0)


def dotted(height: int, width: int, y: int, x: int) -> np.ndarray:
    """Return a white page with one black square of three pixels around a point."""
    page = np.full((height, width), 255, np.int64)
    page[y - 1 : y + 2, x - 1 : x + 2] = 0
    return page


def test_a_perfect_scan_changes_nothing() -> None:
    page = dotted(20, 30, 10, 15)

    assert (scanned(page, CLEAN, "x") == page).all()


def test_blur_mixes_neighbours_one_two_one() -> None:
    page = np.full((5, 5), 255, np.int64)
    page[2, 2] = 0
    how = Scan(slope=0, blurs=1, paper=255, ink=256, grain=0, specks=0)

    ink = 255 - scanned(page, how, "x").astype(int)

    # A quarter of the middle's ink stays, an eighth goes to each side, a sixteenth to each corner.
    assert ink[2, 2] == pytest.approx(255 / 4, abs=1)
    assert ink[1, 2] == pytest.approx(255 / 8, abs=1)
    assert ink[1, 1] == pytest.approx(255 / 16, abs=1)


def test_pale_ink_on_grey_paper() -> None:
    page = np.array([[0, 255]], np.int64)
    how = Scan(slope=0, blurs=0, paper=200, ink=128, grain=0, specks=0)

    assert scanned(page, how, "x").tolist() == [[100, 200]]


@patient
@given(st.integers(-600, 600), st.integers(20, 80), st.integers(30, 170))
def test_a_point_moves_where_it_is_said_to(slope: int, y: int, x: int) -> None:
    turned = 255 - skewed(dotted(100, 200, y, x), slope)

    weights = turned / turned.sum()
    found = (weights.sum(0) @ np.arange(200), weights.sum(1) @ np.arange(100))

    assert found == pytest.approx(moved(x, y, (100, 200), slope), abs=0.3)


@patient
@given(st.sampled_from(sorted(LEVELS)), st.integers(0, 999).map(str))
def test_the_same_seed_gives_the_same_picture(level: str, seed: str) -> None:
    page = dotted(12, 20, 6, 9)

    one, other = (scanned(page, scan(seed, level), seed) for _ in range(2))

    assert one.dtype == np.uint8
    assert (one == other).all()


def test_another_seed_gives_other_grain() -> None:
    page, how = dotted(12, 20, 6, 9), scan("a", "heavy")

    assert (scanned(page, how, "a") != scanned(page, how, "b")).any()


def test_heavier_scans_have_more_grain_than_lighter_ones() -> None:
    page = np.full((40, 40), 255, np.int64)

    spread = [scanned(page, scan("a", level), "a").std() for level in ("light", "medium", "heavy")]

    assert spread == sorted(spread)
    assert spread[0] < spread[2]
