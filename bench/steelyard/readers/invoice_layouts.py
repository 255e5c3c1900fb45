"""Twelve layouts of an invoice: typeface, order of the blocks, and how values are written."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from msgspec import Struct

from steelyard.readers.invoice_content import Currency, Invoice
from steelyard.readers.invoice_words import WORDS, Language

Side = Literal["left", "centre", "right"]
Block = Literal["heading", "sender", "customer", "title", "facts", "goods", "totals", "payment",
                "closing", "footer"]  # fmt: skip
Facts = Literal["colon", "columns", "row", "sentence"]
Money = Literal["plain", "before", "after", "sign"]
Dates = Literal["long", "short", "iso", "dashes"]

SIGNS: dict[Currency, str] = {"EUR": "€", "GBP": "£"}
_TRUE = "usr/share/fonts/truetype"


class Typeface(Struct, frozen=True, kw_only=True):
    """Where the font files lie below the root of a system or of an unpacked package."""

    regular: str
    bold: str


class Layout(Struct, frozen=True, kw_only=True):
    """One layout. `beside` puts the facts to the right of the customer; `size` is in points.

    `due` says where the day of payment stands: among the facts, in a sentence, or nowhere, since
    only a number of days is told.
    """

    name: str
    typeface: Typeface
    size: int
    blocks: tuple[Block, ...]
    heading: Side = "left"
    facts: Facts = "colon"
    beside: bool = False
    totals: Side = "right"
    money: Money = "before"
    dates: dict[Language, Dates]
    due: Literal["facts", "sentence", "days"] = "facts"
    solid_iban: bool = False
    rules: bool = False


def _face(family: str, regular: str, bold: str) -> Typeface:
    return Typeface(regular=f"{_TRUE}/{family}/{regular}", bold=f"{_TRUE}/{family}/{bold}")


def _liberation(name: str) -> Typeface:
    return _face("liberation2", f"Liberation{name}-Regular.ttf", f"Liberation{name}-Bold.ttf")


def _dejavu(name: str) -> Typeface:
    return _face("dejavu", f"DejaVu{name}.ttf", f"DejaVu{name}-Bold.ttf")


_COMMON: tuple[Block, ...] = (
    "heading", "customer", "title", "facts", "goods", "totals", "payment", "closing", "footer",
)  # fmt: skip
_LETTER: tuple[Block, ...] = (
    "heading", "sender", "customer", "facts", "title", "goods", "totals", "closing", "payment",
)  # fmt: skip
_TITLE: tuple[Block, ...] = (
    "title", "heading", "facts", "customer", "goods", "totals", "payment", "closing",
)  # fmt: skip
_BANK_FIRST: tuple[Block, ...] = (
    "heading", "title", "facts", "customer", "payment", "goods", "totals", "footer",
)  # fmt: skip

LAYOUTS = (
    Layout(
        name="arbour", typeface=_liberation("Sans"), size=10, blocks=_COMMON,
        dates={"en": "long", "de": "short"}, rules=True,
    ),
    Layout(
        name="basalt", typeface=_liberation("Serif"), size=11, blocks=_LETTER, heading="right",
        facts="columns", beside=True, money="after", dates={"en": "short", "de": "long"},
    ),
    Layout(
        name="cobalt", typeface=_liberation("Mono"), size=9, blocks=_TITLE, money="sign",
        dates={"en": "iso", "de": "short"}, totals="left", due="sentence",
    ),
    Layout(
        name="dune", typeface=_dejavu("Sans"), size=9, blocks=_BANK_FIRST, facts="row",
        money="plain", dates={"en": "short", "de": "short"}, rules=True,
    ),
    Layout(
        name="ember", typeface=_dejavu("Serif"), size=9, blocks=_COMMON, heading="centre",
        facts="columns", money="after", dates={"en": "long", "de": "long"}, due="days",
    ),
    Layout(
        name="fjord", typeface=_dejavu("SansMono"), size=9, blocks=_LETTER, facts="colon",
        money="before", dates={"en": "dashes", "de": "iso"}, solid_iban=True, due="sentence",
    ),
    Layout(
        name="grove", typeface=_face("crosextra", "Carlito-Regular.ttf", "Carlito-Bold.ttf"),
        size=11, blocks=_COMMON, heading="right", facts="row", money="sign",
        dates={"en": "short", "de": "short"}, rules=True,
    ),
    Layout(
        name="heath", typeface=_face("crosextra", "Caladea-Regular.ttf", "Caladea-Bold.ttf"),
        size=10, blocks=_TITLE, heading="right", facts="columns", beside=True, money="before",
        dates={"en": "long", "de": "short"}, due="days",
    ),
    Layout(
        name="islet", typeface=_face("open-sans", "OpenSans-Regular.ttf", "OpenSans-Bold.ttf"),
        size=9, blocks=_LETTER, heading="centre", facts="sentence", money="after",
        dates={"en": "long", "de": "long"}, due="sentence",
    ),
    Layout(
        name="jetty", typeface=_face("lato", "Lato-Regular.ttf", "Lato-Bold.ttf"), size=10,
        blocks=_BANK_FIRST, facts="columns", money="plain", dates={"en": "iso", "de": "short"},
        totals="left", rules=True,
    ),
    Layout(
        name="knoll",
        typeface=_face("roboto/unhinted/RobotoTTF", "Roboto-Regular.ttf", "Roboto-Bold.ttf"),
        size=10, blocks=_LETTER, facts="colon", beside=True, money="sign", solid_iban=True,
        dates={"en": "short", "de": "short"},
    ),
    Layout(
        name="larch",
        typeface=_face(
            "roboto/unhinted", "RobotoCondensed-Regular.ttf", "RobotoCondensed-Bold.ttf"
        ),
        size=11, blocks=_COMMON, facts="row", money="before", dates={"en": "dashes", "de": "long"},
        due="days", rules=True,
    ),
)  # fmt: skip


def money(hundredths: int, language: Language) -> str:
    """Write an amount: 1,234.50 in English, 1.234,50 in German."""
    written = f"{hundredths // 100:,}.{hundredths % 100:02d}"
    return written if language == "en" else written.translate(str.maketrans(",.", ".,"))


def day(date: dt.date, style: Dates, language: Language) -> str:
    """Write a date without the machine's locale."""
    month = WORDS[language].months[date.month - 1]
    if style == "iso":
        return date.isoformat()
    if style == "dashes":
        return f"{date.day:02d}-{month[:3]}-{date.year}"
    if style == "short":
        return f"{date:%d/%m/%Y}" if language == "en" else f"{date:%d.%m.%Y}"
    return f"{date.day} {month} {date.year}" if language == "en" else (
        f"{date.day}. {month} {date.year}"
    )  # fmt: skip


def account(invoice: Invoice, *, solid: bool) -> str:
    """Write the IBAN, in groups of four or without blanks."""
    if solid:
        return invoice.iban
    return " ".join(invoice.iban[at : at + 4] for at in range(0, len(invoice.iban), 4))
