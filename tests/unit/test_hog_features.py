"""Histograms of oriented gradients, by hand and against scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.backends.ort.hog_features import Grid, averaged, blocks, features, histograms
from steelyard.errors import WorkerError


def test_a_vertical_edge_votes_for_the_orientation_across_it() -> None:
    picture = np.zeros((6, 6), np.float32)
    picture[:, 3:] = 10

    (found,) = histograms(picture, 6, 9)

    # Columns 2 and 3 see the step, six rows of them: 12 votes of 10 over 36 pixels.
    assert found[0].tolist() == pytest.approx([120 / 36, 0, 0, 0, 0, 0, 0, 0, 0])


def test_a_horizontal_edge_votes_for_the_orientation_down_it() -> None:
    picture = np.zeros((6, 6), np.float32)
    picture[3:] = 10

    (found,) = histograms(picture, 6, 9)

    # 90 degrees lie in the fifth of nine orientations of 20 degrees.
    assert found[0].tolist() == pytest.approx([0, 0, 0, 0, 120 / 36, 0, 0, 0, 0])


def test_light_to_dark_and_dark_to_light_are_one_orientation() -> None:
    rising = np.outer(np.ones(8), np.arange(8)).astype(np.float32)

    np.testing.assert_allclose(histograms(rising, 4, 9), histograms(rising[:, ::-1], 4, 9))


def test_a_block_is_cut_at_a_fifth_and_normalised_again() -> None:
    cells = np.zeros((2, 2, 1))
    cells[0, 0], cells[0, 1] = 3, 4

    # 3 / 5 and 4 / 5 are both cut to .2, which is half of the squares each.
    assert blocks(cells).ravel().tolist() == pytest.approx([0.5**0.5, 0.5**0.5, 0, 0], abs=1e-6)


def test_averages_are_of_whole_squares() -> None:
    picture = np.arange(15, dtype=np.float32).reshape(3, 5)

    assert averaged(picture, 2).tolist() == [[3, 5]]


def test_a_flat_picture_has_features_of_nought() -> None:
    found = features(np.full((32, 32), 7, np.uint8), Grid(cells=4, side=32))

    assert found.shape == (3 * 3 * 4 * 9,)
    assert not found.any()


@pytest.mark.parametrize("shape", [(32,), (32, 32, 3), (3, 32)])
def test_what_is_no_grey_picture_of_the_grids_size_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(WorkerError, match="a picture of shape"):
        features(np.zeros(shape, np.uint8), Grid(cells=4, side=32))


@given(
    pixels=st.integers(3, 8),
    across=st.integers(2, 5),
    down=st.integers(2, 5),
    spare=st.integers(0, 2),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=25)
def test_features_equal_scikit_images(
    pixels: int, across: int, down: int, spare: int, seed: int
) -> None:
    feature = pytest.importorskip("skimage.feature")
    shape = (down * pixels + spare, across * pixels)
    picture = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    expected = feature.hog(
        picture,
        orientations=9,
        pixels_per_cell=(pixels, pixels),
        cells_per_block=(2, 2),
        block_norm="L2-Hys",
        feature_vector=False,
    )

    found = blocks(histograms(picture.astype(np.float32), pixels, 9))

    np.testing.assert_allclose(found, expected.reshape(found.shape), atol=2e-5)
