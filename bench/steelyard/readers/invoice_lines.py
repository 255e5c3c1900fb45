"""Draw lines of invoices as an office scanner shows them, from font packages of the card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.api import ArrayItems, Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers import pictures
from steelyard.readers.invoice_drawing import Fonts, Grey, drawn, line_box
from steelyard.readers.invoice_layouts import LAYOUTS
from steelyard.readers.invoice_pages import Sheet, sheets
from steelyard.readers.invoice_printing import Printed, page
from steelyard.readers.rows import decode_options
from steelyard.readers.scans import WHITE, scan, scanned
from steelyard.readers.sounds import Draws

FEWEST_LETTERS = 3
MARGIN = 5  # pixels left around a line
# Pixels cut along and then taken off, so that skew brings no white in from outside.
_SPARE = 24


class LineOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many invoices a layout and how many lines of each; `seed` draws them."""

    seed: str
    pages: int
    lines: int


class InvoiceLines:
    """Reader `invoice-lines`: a picture of one printed line an item, all lines of a layout a group.

    The card's files are unpacked packages that hold the layouts' fonts.
    """

    def read_arrays(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> ArrayItems:
        """Return |u1 pictures of height x width, and what is printed on each."""
        pictures.needed()
        how = decode_options(options, LineOptions)
        if labels:
            raise PrepareError("reader 'invoice-lines' answers text: the card has no labels")
        made = list(_made(how, [paths[name] for name in sorted(paths)]))
        return ArrayItems(
            items=tuple(item for item, _ in made), arrays=tuple(array for _, array in made)
        )


def _made(how: LineOptions, roots: Sequence[Path]) -> Iterator[tuple[Item, NDArray[np.uint8]]]:
    faces = [Fonts(layout.typeface, roots) for layout in LAYOUTS]
    for sheet in sheets(how.seed, how.pages):
        fonts = faces[sheet.layout]
        laid = page(sheet.invoice, sheet.layout, fonts.measure)
        grey = drawn(laid, fonts)
        for number in chosen(laid.printed, how.lines, f"{how.seed}:{sheet.name}"):
            line = laid.printed[number]
            # Its own item id seeds the scan: lines of a page are as different as pages are.
            name = f"{sheet.name}/{number:02d}/{sheet.level}"
            picture = cut_out(grey, line, fonts, scan_seed=name, sheet=sheet)
            yield Item(id=name, label=line.text, group=LAYOUTS[sheet.layout].name), picture


def chosen(printed: Sequence[Printed], count: int, seed: str) -> list[int]:
    """Draw `count` lines, in the order of the page: of each text one, none too short to be read."""
    draws = Draws(f"lines:{seed}")
    places: dict[str, int] = {}
    for place, line in enumerate(printed):
        if len(line.text.replace(" ", "")) >= FEWEST_LETTERS:
            places.setdefault(line.text, place)
    left = list(places.values())
    drawn_places = [left.pop(draws.below(len(left))) for _ in range(min(count, len(left)))]
    return sorted(drawn_places)


def cut_out(
    grey: Grey, line: Printed, fonts: Fonts, *, scan_seed: str, sheet: Sheet
) -> NDArray[np.uint8]:
    """Return the scanned picture of one line, with what stands close to it."""
    box = line_box(line, fonts)
    wide = MARGIN + _SPARE
    whole = np.pad(grey, wide, constant_values=WHITE)
    part = whole[box.top : box.bottom + 2 * wide, box.left : box.right + 2 * wide]
    picture = scanned(part, scan(scan_seed, sheet.level), scan_seed)
    return np.ascontiguousarray(picture[_SPARE:-_SPARE, _SPARE:-_SPARE])
