"""Glyphs cut out of lines, and the letters they are nearest to."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard.backends.templates import TemplateSession
from steelyard.recipes.glyph_templates import learned
from steelyard.recipes.glyphs import COLUMNS, ROWS, SIZE, Glyphs, cut, threshold

# Letters of ten rows: a bar, a frame and a low dash.
BAR = np.ones((10, 2), int)
FRAME = np.pad(np.zeros((8, 6), int), 1, constant_values=1)
DASH = np.concatenate([np.zeros((8, 6), int), np.ones((2, 6), int)])


def line(*parts: np.ndarray | int) -> np.ndarray:
    """Return a grey picture of letters, with gaps of so many columns between them."""
    drawn = [np.zeros((10, part), int) if isinstance(part, int) else part for part in parts]
    ink = np.pad(np.concatenate(drawn, axis=1), 3)
    return np.where(ink == 1, 40, 220).astype(np.uint8)


def test_the_threshold_parts_two_greys() -> None:
    assert 40 <= threshold(line(BAR)) < 220


def test_a_line_is_cut_at_columns_without_ink_and_wide_gaps_are_blanks() -> None:
    glyphs = cut(line(BAR, 1, FRAME, 5, DASH))

    assert glyphs.vectors.shape == (3, SIZE)
    assert glyphs.blanks == (2,)


def test_a_glyph_is_described_by_its_ink_and_its_width() -> None:
    bar = cut(line(BAR)).vectors[0]

    assert np.allclose(bar[:-1], 1)
    assert bar[-1] == pytest.approx(4 * 2 / 10)


def test_where_on_the_line_ink_stands_is_kept() -> None:
    dash = cut(line(BAR, 2, DASH)).vectors[1][:-1].reshape(ROWS, COLUMNS)

    assert np.allclose(dash[:12], 0)
    assert np.allclose(dash[-3:], 1)
    # Row 12 of 16 covers 7.5 to 8.125 of ten rows, ink begins at 8: a fifth of it.
    assert np.allclose(dash[12], 0.2, atol=1e-5)


def test_a_picture_without_ink_has_no_glyphs() -> None:
    glyphs = cut(np.full((8, 8), 255, np.uint8))

    # One grey alone cannot be parted: nothing is darker than the threshold, or all is one blot.
    assert len(glyphs.vectors) <= 1


def test_lines_that_fall_into_other_numbers_of_glyphs_teach_nothing() -> None:
    glyphs = cut(line(BAR, 1, FRAME))

    assert learned([("a", "i o", glyphs)]).keys() == {("i", "a"), ("o", "a")}
    assert learned([("a", "rio", glyphs)]) == {}


def test_a_letter_s_template_is_the_mean_of_its_group() -> None:
    def one(value: float) -> Glyphs:
        return Glyphs(vectors=np.full((1, SIZE), value, np.float32), blanks=())

    found = learned([("a", "x", one(1)), ("a", "x", one(2)), ("b", "x", one(7))])

    assert found["x", "a"].tolist() == [1.5] * SIZE
    assert found["x", "b"].tolist() == [7] * SIZE


def test_what_was_learned_is_read_back() -> None:
    taught = learned([("a", "i o_", cut(line(BAR, 5, FRAME, 1, DASH)))])
    session = TemplateSession(tuple(letter for letter, _ in taught), np.stack([*taught.values()]))

    answer = session.decode(session.infer(session.encode(line(FRAME, 1, DASH, 1, BAR, 6, BAR))))

    assert answer.label == "o_i i"
