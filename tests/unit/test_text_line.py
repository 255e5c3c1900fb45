"""Reading letters out of a network's steps, and fitting a line to its input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("onnxruntime")

from steelyard.backends.ort.ctc import best_path
from steelyard.backends.ort.text_line import resized

LETTERS = ("a", "b", " ")


def steps(*classes: int) -> np.ndarray:
    """Return probabilities whose most probable classes are these."""
    return np.eye(len(LETTERS) + 1, dtype=np.float32)[list(classes)]


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        ((1, 1, 2, 2, 2), "ab"),
        ((1, 0, 1), "aa"),
        ((0, 1, 1, 0, 0, 1, 3, 2, 0), "aa b"),
        ((0, 0, 0), ""),
        ((2,), "b"),
    ],
)
def test_repeats_are_one_letter_and_blanks_none(classes: tuple[int, ...], text: str) -> None:
    assert best_path(steps(*classes), LETTERS) == text


@given(st.text("ab ", max_size=20), st.data())
def test_a_text_that_was_stretched_is_read_back(text: str, data: st.DataObject) -> None:
    classes: list[int] = []
    for letter in text:
        classes += [0] * data.draw(st.integers(1, 2))
        classes += [1 + LETTERS.index(letter)] * data.draw(st.integers(1, 3))

    assert best_path(steps(*classes, 0), LETTERS) == text


def test_scaling_takes_pixels_at_their_middle() -> None:
    row = np.array([[0, 100]], np.uint8)

    # Four pixels of two: middles at -0.25, 0.25, 0.75 and 1.25 of the old ones, kept inside.
    assert resized(row, 1, 4).tolist() == [[0.0, 25.0, 75.0, 100.0]]


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 255))
def test_an_even_picture_stays_even(height: int, width: int, grey: int) -> None:
    made = resized(np.full((3, 5), grey, np.uint8), height, width)

    assert made.shape == (height, width)
    assert np.allclose(made, grey)
