"""Draw a set page with Pillow, and say in which box each stretch of text stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.errors import PrepareError
from steelyard.readers.invoice_layouts import Typeface
from steelyard.readers.invoice_printing import HEIGHT, WIDTH, Page, Printed

DPI = 150
SCALE = DPI / 72  # pixels a point
WHITE = 255

Grey = NDArray[np.int64]


class Box(Struct, frozen=True, kw_only=True):
    """Pixels from `left` and `top` to before `right` and `bottom`."""

    left: int
    top: int
    right: int
    bottom: int


class Fonts:
    """The two weights of a typeface, found below any of some roots. Kerning is the font's own.

    Pillow's basic layout is used, so that drawing does not depend on what else is installed.
    """

    def __init__(self, typeface: Typeface, roots: Sequence[Path]) -> None:
        self._paths = {
            False: _found(typeface.regular, roots),
            True: _found(typeface.bold, roots),
        }
        self._open: dict[tuple[float, bool], Any] = {}

    def at(self, size: float, *, bold: bool) -> Any:
        """Return Pillow's font of a size in points."""
        from PIL import ImageFont

        key = (size, bold)
        if key not in self._open:
            path, pixels = str(self._paths[bold]), round(size * SCALE)
            basic = ImageFont.Layout.BASIC
            self._open[key] = ImageFont.truetype(path, pixels, layout_engine=basic)
        return self._open[key]

    def measure(self, text: str, size: float, bold: bool) -> float:
        """Return the width of a text in points."""
        return float(self.at(size, bold=bold).getlength(text)) / SCALE


def drawn(page: Page, fonts: Fonts) -> Grey:
    """Return a page as grey values, height x width, 255 white."""
    from PIL import Image, ImageDraw

    picture = Image.new("L", (round(WIDTH * SCALE), round(HEIGHT * SCALE)), WHITE)
    pen = ImageDraw.Draw(picture)
    for line in page.printed:
        corner = (round(line.x * SCALE), round(line.y * SCALE))
        pen.text(corner, line.text, fill=0, font=fonts.at(line.size, bold=line.bold))
    for y in page.rules:
        level = round(y * SCALE)
        pen.line([(round(50 * SCALE), level), (round(545 * SCALE), level)], fill=0, width=2)
    made: Grey = np.asarray(picture, np.uint8).astype(np.int64)
    return made


def fields(page: Page, fonts: Fonts) -> Iterator[tuple[str, str, Box]]:
    """Yield type, value and box of every field, in the order of printing."""
    for line in page.printed:
        before = ""
        for run in line.runs:
            if run.field is not None:
                yield run.field, run.text, _box(line, before, run.text, fonts)
            before += run.text


def line_box(line: Printed, fonts: Fonts) -> Box:
    """Return where a printed line stands: its ink, whatever the font's own margins."""
    return _box(line, "", line.text, fonts)


def _box(line: Printed, before: str, text: str, fonts: Fonts) -> Box:
    font = fonts.at(line.size, bold=line.bold)
    left = round(line.x * SCALE) + round(font.getlength(before))
    x0, y0, x1, y1 = font.getbbox(text)
    top = round(line.y * SCALE)
    return Box(left=left + int(x0), top=top + int(y0), right=left + int(x1), bottom=top + int(y1))


def _found(path: str, roots: Sequence[Path]) -> Path:
    for root in roots:
        if (root / path).is_file():
            return root / path
    raise PrepareError(
        f"no font {path} below {', '.join(map(str, roots))}\n"
        "try: apt-get install fonts-liberation2 fonts-dejavu-core fonts-crosextra-carlito "
        "fonts-crosextra-caladea fonts-open-sans fonts-lato fonts-roboto-unhinted"
    )
