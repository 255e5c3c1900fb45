"""What an OCR program read: its table as text, and printed values found in it again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.readers.invoice_content import invoice
from steelyard.readers.invoice_drawing import Box
from steelyard.readers.invoice_layouts import LAYOUTS
from steelyard.readers.invoice_pages import Sheet, marked
from steelyard.readers.ocr_words import Found, Reading, from_tsv, located, nearest, trimmed

rapidfuzz = pytest.importorskip("rapidfuzz.distance")

# level, page, block, paragraph, line, word, left, top, width, height, confidence, text
TABLE = "\n".join(
    "\t".join(map(str, row))
    for row in (
        (4, 1, 1, 1, 1, 0, 10, 10, 300, 20, -1, ""),
        (5, 1, 1, 1, 1, 1, 10, 10, 60, 20, 96, "Total"),
        (5, 1, 1, 1, 1, 2, 80, 10, 40, 20, 91, "EUR"),
        (5, 1, 1, 1, 1, 3, 130, 10, 70, 20, 88, "1.234,S0."),
        (5, 1, 1, 1, 2, 1, 10, 50, 60, 20, 95, "IBAN"),
        (5, 1, 1, 1, 2, 2, 80, 50, 60, 20, 95, " "),
        (5, 1, 2, 1, 1, 1, 80, 90, 60, 20, 95, "DE89"),
    )
)


def box(left: int, top: int, right: int, bottom: int) -> Box:
    return Box(left=left, top=top, right=right, bottom=bottom)


def test_words_become_lines_and_know_where_they_stand() -> None:
    read = from_tsv(TABLE)

    assert read.text == "Total EUR 1.234,S0.\nIBAN\nDE89"
    words = [read.text[word.start : word.end] for word in read.words]
    assert words == ["Total", "EUR", "1.234,S0.", "IBAN", "DE89"]


def test_a_misread_value_is_found_without_what_was_read_together_with_it() -> None:
    read = from_tsv(TABLE)

    found = located(read, "1.234,50", box(128, 12, 196, 28))

    assert found is not None
    assert read.text[found.start : found.end] == "1.234,S0"
    assert found.edits == 1


def test_a_value_that_was_not_read_is_not_found() -> None:
    read = from_tsv(TABLE)

    assert located(read, "1.234,50", box(300, 12, 380, 28)) is None
    assert located(read, "27. Mai 2024", box(78, 92, 140, 108)) is None


def test_the_value_is_sought_on_its_own_line_only() -> None:
    found = located(from_tsv(TABLE), "EUR", box(78, 12, 122, 28))

    assert found == Found(start=6, end=9, edits=0)


@given(st.text("ab1 ", min_size=1, max_size=6), st.text("ab1 ", max_size=8))
def test_the_nearest_stretch_is_that_of_trying_all(value: str, text: str) -> None:
    stretches = [text[i:j] for i in range(len(text) + 1) for j in range(i, len(text) + 1)]
    fewest = min(rapidfuzz.Levenshtein.distance(value, stretch) for stretch in stretches)

    found = nearest(value, text)

    assert found.edits == fewest
    assert rapidfuzz.Levenshtein.distance(value, text[found.start : found.end]) == fewest


def test_blanks_at_the_ends_are_left_out() -> None:
    assert trimmed("a bc d", Found(start=1, end=5, edits=0)) == Found(start=2, end=4, edits=0)


def sheet() -> Sheet:
    made = invoice("x", "en", 0, len(LAYOUTS))
    return Sheet(name="arbour-000", invoice=made, layout=0, level="light")


def test_a_marked_page_tells_what_was_misread_and_what_is_missing() -> None:
    boxes = [
        ("CURRENCY", "EUR", box(78, 12, 122, 28)),
        ("TOTAL", "1.234,50", box(128, 12, 196, 28)),
        ("IBAN", "DE11", box(300, 52, 340, 68)),
    ]

    read = marked(sheet(), from_tsv(TABLE), boxes)

    assert read is not None
    assert [(one.type, one.start, one.end) for one in read.fields] == [
        ("CURRENCY", 6, 9),
        ("TOTAL", 10, 18),
    ]
    assert read.missed == (("IBAN", "DE11"),)
    assert read.group == "arbour"


def test_a_page_of_which_next_to_nothing_was_read_is_left_out() -> None:
    boxes = [("TOTAL", "5,00", box(1, 1, 2, 2))]

    assert marked(sheet(), Reading(text="", words=()), boxes) is None
