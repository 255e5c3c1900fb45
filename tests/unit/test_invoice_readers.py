"""Marked texts from lines of JSON; pictures of lines, drawn with the font in Pillow."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("PIL")

from PIL import ImageFont

from steelyard.api import Item, Label
from steelyard.card import Split
from steelyard.errors import PrepareError
from steelyard.notation import parse_spans
from steelyard.prepare.folds import assign_folds
from steelyard.readers.invoice_content import invoice
from steelyard.readers.invoice_drawing import (
    SCALE,
    Box,
    Fonts,
    drawn,
    fields,
    line_box,
)
from steelyard.readers.invoice_layouts import LAYOUTS
from steelyard.readers.invoice_lines import MARGIN, InvoiceLines, chosen, cut_out
from steelyard.readers.invoice_pages import Sheet, marked, sheets
from steelyard.readers.invoice_printing import Page, Printed, Run, page
from steelyard.readers.invoice_words import Language
from steelyard.readers.marked_texts import MarkedTexts
from steelyard.readers.ocr_words import Reading, Word

SETTINGS: dict[str, str | int] = {"seed": "x", "pages": 1, "lines": 1}
LABELS = (Label(id="TOTAL", words="total"), Label(id="IBAN", words="IBAN"))


@cache
def built_in(pixels: int) -> Any:
    """Return the font that Pillow carries, opened once a size."""
    return ImageFont.load_default(pixels)


class BuiltIn(Fonts):
    """The font that Pillow carries, in place of those of the card."""

    def __init__(self) -> None:
        pass

    def at(self, size: float, *, bold: bool) -> Any:
        return built_in(round(size * SCALE))


def read(tmp_path: Path, *lines: object) -> list[Item]:
    path = tmp_path / "read.jsonl"
    path.write_bytes(b"\n".join(msgspec.json.encode(line) for line in lines))
    return MarkedTexts().read({"read.jsonl": path}, {}, LABELS)


def text(*marks: tuple[str, int, int]) -> dict[str, object]:
    marked = [{"type": kind, "start": start, "end": end} for kind, start, end in marks]
    return {"id": "a-1", "group": "a", "text": "Total 12.00", "fields": marked, "scan": "light"}


def test_a_line_is_a_text_with_its_fields(tmp_path: Path) -> None:
    (item,) = read(tmp_path, text(("TOTAL", 6, 11)))

    assert (item.id, item.group, item.text) == ("a-1", "a", "Total 12.00")
    assert parse_spans(item.label) == ((6, 11, "TOTAL"),)


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ([("TAX", 6, 11)], "read.jsonl:1: 'TAX' is not a label of the task"),
        ([("TOTAL", 6, 12)], "TOTAL at 6 to 12 lies outside the 11 characters"),
        ([("TOTAL", 6, 6)], "TOTAL at 6 to 6 lies outside"),
        ([("TOTAL", 0, 7), ("IBAN", 6, 11)], "IBAN at 6 to 11 overlaps the field before it"),
    ],
)
def test_fields_that_cannot_be_are_refused(
    tmp_path: Path, marks: list[tuple[str, int, int]], said: str
) -> None:
    with pytest.raises(PrepareError, match=said):
        read(tmp_path, text(*marks))


def test_a_line_that_is_no_text_is_refused_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match=r"read\.jsonl:2: "):
        read(tmp_path, text(), {"id": "b"})


@pytest.mark.parametrize("place", range(len(LAYOUTS)))
def test_every_field_s_ink_stands_in_its_box(place: int) -> None:
    fonts = BuiltIn()
    laid = page(invoice("x", "de", place, len(LAYOUTS)), place, fonts.measure)
    grey = drawn(laid, fonts)

    for kind, value, box in fields(laid, fonts):
        ink = grey[box.top : box.bottom, box.left : box.right] < 128
        assert ink.any(), (kind, value)
        # The value ends where its box does: ink in the outermost columns, but for bearings.
        assert ink[:, :6].any()
        assert ink[:, -6:].any()


def read_without_a_mistake(laid: Page, fonts: Fonts) -> Reading:
    """Return what an OCR program would read that misreads nothing, row by row."""
    text, words, row = "", [], None
    for line in sorted(laid.printed, key=lambda one: (one.y, one.x)):
        text += "" if row is None else " " if line.y == row else "\n"
        row, font, bounds = line.y, fonts.at(line.size, bold=line.bold), line_box(line, fonts)
        for found in re.finditer(r"\S+", line.text):
            left, right = (
                bounds.left + round(font.getlength(line.text[:end])) for end in found.span()
            )
            box = Box(left=left, top=bounds.top, right=right, bottom=bounds.bottom)
            start, end = (len(text) + place for place in found.span())
            words.append(Word(box=box, start=start, end=end))
        text += line.text
    return Reading(text=text, words=tuple(words))


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 999).map(str), st.sampled_from(("en", "de")), st.integers(0, len(LAYOUTS) - 1)
)
def test_every_span_lies_where_its_value_stands(seed: str, language: Language, place: int) -> None:
    fonts, made = BuiltIn(), invoice(seed, language, place, len(LAYOUTS))
    laid = page(made, place, fonts.measure)
    given_fields = list(fields(laid, fonts))

    read = marked(
        Sheet(name="x", invoice=made, layout=place, level="light"),
        read_without_a_mistake(laid, fonts),
        given_fields,
    )

    assert read is not None
    assert read.missed == ()
    assert all(read.text[one.start : one.end] == one.printed for one in read.fields)
    found = sorted((one.type, one.printed) for one in read.fields)
    assert found == sorted((kind, value) for kind, value, _ in given_fields)


def sheet(level: str = "light") -> Sheet:
    return Sheet(name="x", invoice=invoice("x", "en", 0, 12), layout=0, level=level)


def test_a_cut_out_line_has_its_ink_and_a_margin() -> None:
    fonts = BuiltIn()
    laid = page(sheet().invoice, 0, fonts.measure)
    line, box = laid.printed[0], line_box(laid.printed[0], fonts)

    picture = cut_out(drawn(laid, fonts), line, fonts, scan_seed="x", sheet=sheet())

    assert picture.dtype == np.uint8
    assert picture.shape == (
        box.bottom - box.top + 2 * MARGIN,
        box.right - box.left + 2 * MARGIN,
    )
    assert (picture[MARGIN:-MARGIN] < 128).any()


def test_the_same_seed_gives_the_same_picture() -> None:
    fonts = BuiltIn()
    laid = page(sheet().invoice, 0, fonts.measure)
    grey, line = drawn(laid, fonts), laid.printed[2]

    one, same, other = (
        cut_out(grey, line, fonts, scan_seed=seed, sheet=sheet("heavy")) for seed in "aab"
    )

    assert (one == same).all()
    assert (one != other).any()


def printed(*texts: str) -> list[Printed]:
    return [Printed(x=1, y=1, size=9, bold=False, runs=(Run(text=one),)) for one in texts]


def test_lines_are_drawn_once_each_and_none_is_too_short() -> None:
    lines = printed("An", "Total", "12", "Total", "1 2", "IBAN", "Net 1")

    assert chosen(lines, 9, "seed") == [1, 5, 6]
    assert len(chosen(lines, 2, "seed")) == 2
    assert chosen(lines, 2, "seed") == chosen(lines, 2, "seed")


def test_all_of_a_layout_is_in_one_fold() -> None:
    items = [
        Item(id=one.name, text="x", label="[]", group=LAYOUTS[one.layout].name)
        for one in sheets("x", 4)
    ]

    dealt = assign_folds(items, Split(kind="folds", folds=4, by_group=True))

    folds = {(item.group, item.fold) for item in dealt}
    assert len(folds) == len(LAYOUTS)
    assert sorted(fold for _, fold in folds if fold is not None) == [
        0,
        0,
        0,
        1,
        1,
        1,
        2,
        2,
        2,
        3,
        3,
        3,
    ]


def test_missing_fonts_are_told_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match="apt-get install fonts-liberation2"):
        InvoiceLines().read_arrays({"fonts": tmp_path}, SETTINGS, ())


def test_a_task_of_text_has_no_labels(tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match="answers text"):
        InvoiceLines().read_arrays({"fonts": tmp_path}, SETTINGS, LABELS)
