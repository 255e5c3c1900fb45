"""Draw, scan and read invoices: the generator of the task invoice-fields.

What an OCR program reads depends on its version, its weights and the processor, so the texts lie
beside the card; this makes them again where the versions are those that the README names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from steelyard.errors import SourceError
from steelyard.readers.invoice_content import Invoice, invoice
from steelyard.readers.invoice_drawing import Box, Fonts, Grey, drawn, fields
from steelyard.readers.invoice_layouts import LAYOUTS
from steelyard.readers.invoice_printing import Page, page
from steelyard.readers.invoice_words import Language
from steelyard.readers.ocr_words import Reading, from_tsv, located, trimmed
from steelyard.readers.scans import LEVELS, moved, scan, scanned

TESSDATA = "/usr/share/tesseract-ocr/5/tessdata"
LANGUAGES: tuple[Language, ...] = ("en", "de")
MODELS: dict[Language, str] = {"en": "eng", "de": "deu"}
ROOTS = (Path("/"),)
# A page of which less than this share of the fields was read was thrown away and scanned again.
LEAST_READ = 0.5
_FOOT = 90  # white pixels below the last line


class Field(Struct, frozen=True, kw_only=True):
    """A field: its type, where it stands in the text, and what was printed."""

    type: str
    start: int
    end: int
    printed: str


class ReadPage(Struct, frozen=True, kw_only=True):
    """One line of the file: a page as it was read. `missed` are fields that are not in the text."""

    id: str
    group: str
    language: Language
    scan: str
    text: str
    fields: tuple[Field, ...]
    missed: tuple[tuple[str, str], ...]


class Sheet(Struct, frozen=True, kw_only=True):
    """An invoice set in a layout, and how its page is scanned."""

    name: str
    invoice: Invoice
    layout: int
    level: str


def sheets(seed: str, each: int) -> Iterator[Sheet]:
    """Yield `each` invoices a layout: languages and severities of the scan by turns."""
    levels = tuple(LEVELS)
    for place, layout in enumerate(LAYOUTS):
        for number in range(each):
            name = f"{layout.name}-{number:03d}"
            language = LANGUAGES[number % len(LANGUAGES)]
            made = invoice(f"{seed}:{name}", language, place, len(LAYOUTS))
            level = levels[number // len(LANGUAGES) % len(levels)]
            yield Sheet(name=name, invoice=made, layout=place, level=level)


def write(out: Path, seed: str, each: int, tessdata: str = TESSDATA) -> None:
    """Write a JSON line a page; raise SourceError where tesserocr or its weights are missing."""
    programs = {language: _program(tessdata, MODELS[language]) for language in LANGUAGES}
    faces = [Fonts(layout.typeface, ROOTS) for layout in LAYOUTS]
    with out.open("wb") as file:
        for sheet in sheets(seed, each):
            read = _read(sheet, faces[sheet.layout], programs[sheet.invoice.language])
            if read is not None:
                file.write(msgspec.json.encode(read) + b"\n")


def _program(tessdata: str, model: str) -> Any:
    try:
        import tesserocr
    except ImportError as error:
        raise SourceError(
            "tesserocr is not installed\ntry: pip install 'steelyard[ocr]'"
        ) from error
    try:
        return tesserocr.PyTessBaseAPI(path=tessdata, lang=model, psm=tesserocr.PSM.SINGLE_COLUMN)
    except RuntimeError as error:
        raise SourceError(
            f"{tessdata}: {error}\ntry: apt-get install tesseract-ocr-eng tesseract-ocr-deu"
        ) from error


def _read(sheet: Sheet, fonts: Fonts, program: Any) -> ReadPage | None:
    """Return a page as the program reads it, None where it reads next to nothing."""
    from PIL import Image

    laid = page(sheet.invoice, sheet.layout, fonts.measure)
    grey = cut(drawn(laid, fonts))
    how = scan(sheet.name, sheet.level)
    program.SetImage(Image.fromarray(scanned(grey, how, sheet.name)))
    program.SetSourceResolution(150)
    reading = from_tsv(program.GetTSVText(0))
    boxes = [
        (kind, value, _moved(box, grey.shape, how.slope))
        for kind, value, box in fields(laid, fonts)
    ]
    return marked(sheet, reading, boxes)


def cut(grey: Grey) -> Grey:
    """Return a page without the white below the last line, but for a margin."""
    inked = (grey < 255).any(axis=1).nonzero()[0]
    return grey[: int(inked[-1]) + _FOOT]


def marked(
    sheet: Sheet, reading: Reading, boxes: Sequence[tuple[str, str, Box]]
) -> ReadPage | None:
    """Return a page's text with the fields that stand in it, None where most do not."""
    found, missed = [], []
    for kind, value, box in boxes:
        at = located(reading, value, box)
        if at is None:
            missed.append((kind, value))
            continue
        at = trimmed(reading.text, at)
        found.append(Field(type=kind, start=at.start, end=at.end, printed=value))
    if len(found) < LEAST_READ * len(boxes):
        return None
    return ReadPage(
        id=sheet.name,
        group=LAYOUTS[sheet.layout].name,
        language=sheet.invoice.language,
        scan=sheet.level,
        text=reading.text,
        fields=_apart(found),
        missed=tuple(missed),
    )


def _apart(found: Sequence[Field]) -> tuple[Field, ...]:
    """Return fields in the order of the text, without those that overlap the one before."""
    kept: list[Field] = []
    for field in sorted(found, key=lambda one: (one.start, one.end)):
        if not kept or field.start >= kept[-1].end:
            kept.append(field)
    return tuple(kept)


def _moved(box: Box, shape: tuple[int, ...], slope: int) -> Box:
    """Return where a box stands on the skewed page: moved as its middle is."""
    middle = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    x, y = moved(*middle, (shape[0], shape[1]), slope)
    right, down = round(x - middle[0]), round(y - middle[1])
    return Box(
        left=box.left + right, top=box.top + down,
        right=box.right + right, bottom=box.bottom + down,
    )  # fmt: skip


__all__ = ["Field", "Page", "ReadPage", "Sheet", "cut", "marked", "sheets", "write"]
