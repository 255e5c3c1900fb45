"""Turn what an OCR program found on a page into text, and find printed values in it again."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from steelyard.readers.invoice_drawing import Box

# Pixels by which a word's middle may lie above or below the box of the value that it is part of.
SLACK = 8
# A value more than so far from what was read, in edits a character, was not read.
MOST_EDITS = 0.5
_WORD_LEVEL = "5"
_COLUMNS = 12


class Word(Struct, frozen=True, kw_only=True):
    """A word as it was read, its box, and where it stands in the text."""

    box: Box
    start: int
    end: int


class Reading(Struct, frozen=True, kw_only=True):
    """A page's text, a line for each line that was found, and its words."""

    text: str
    words: tuple[Word, ...]


class Found(Struct, frozen=True, kw_only=True):
    """Where a printed value stands in a text, and how many characters of it were misread."""

    start: int
    end: int
    edits: int


def from_tsv(table: str) -> Reading:
    """Read tesseract's TSV: words with block, paragraph, line, place and size."""
    text, words, last = "", [], None
    for line, box, word in _rows(table):
        if text:
            text += " " if line == last else "\n"
        words.append(Word(box=box, start=len(text), end=len(text) + len(word)))
        text, last = text + word, line
    return Reading(text=text, words=tuple(words))


def _rows(table: str) -> Iterator[tuple[tuple[str, ...], Box, str]]:
    """Yield the line, box and letters of each word."""
    for row in table.splitlines():
        cells = row.split("\t")
        if len(cells) != _COLUMNS or cells[0] != _WORD_LEVEL or not cells[11].strip():
            continue
        left, top, width, height = (int(cell) for cell in cells[6:10])
        box = Box(left=left, top=top, right=left + width, bottom=top + height)
        yield tuple(cells[1:5]), box, "".join(cells[11].split())


def located(reading: Reading, value: str, box: Box) -> Found | None:
    """Return where the value printed in `box` stands in what was read, None where it does not.

    Words count that stand in the box, or around it. Of their line the stretch that is nearest to
    the value is taken, so that what was read together with it stays outside.
    """
    within = [word for word in reading.words if _inside(word.box, box)]
    if not within:
        return None
    start, end = within[0].start, max(word.end for word in within)
    first = reading.text.rfind("\n", 0, start) + 1
    found = nearest(value, reading.text[first:end].split("\n")[0])
    at = Found(start=first + found.start, end=first + found.end, edits=found.edits)
    known = at.start < end and at.end > start
    return at if known and at.edits <= MOST_EDITS * len(value) and at.end > at.start else None


def _inside(word: Box, box: Box) -> bool:
    """Tell whether a word is of a box's line and shares half the width of the narrower of both.

    A sign before an amount is a box within a word.
    """
    y = (word.top + word.bottom) / 2
    shared = min(word.right, box.right) - max(word.left, box.left)
    narrow = min(word.right - word.left, box.right - box.left)
    return box.top - SLACK <= y <= box.bottom + SLACK and 2 * shared >= narrow


def nearest(value: str, text: str) -> Found:
    """Return the stretch of `text` with the fewest edits to `value`; of equals the last, longest.

    Sellers, The theory and computation of evolutionary distances, Journal of Algorithms 1, 1980.
    """
    # (edits, start) of the best stretch that ends before each place of the text.
    best = [(0, place) for place in range(len(text) + 1)]
    for letter in value:
        above, best = best, [(best[0][0] + 1, best[0][1])]
        for place, other in enumerate(text, 1):
            swapped = (above[place - 1][0] + (letter != other), above[place - 1][1])
            missed = (above[place][0] + 1, above[place][1])
            added = (best[place - 1][0] + 1, best[place - 1][1])
            best.append(min(swapped, missed, added))
    ends = range(len(text) + 1)
    end = min(ends, key=lambda place: (best[place][0], -place))
    return Found(start=best[end][1], end=end, edits=best[end][0])


def trimmed(text: str, found: Found) -> Found:
    """Return a stretch without blanks at its ends."""
    stands = text[found.start : found.end]
    start = found.start + len(stands) - len(stands.lstrip())
    return Found(start=start, end=start + len(stands.strip()), edits=found.edits)
