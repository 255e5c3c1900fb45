"""Read the translations of a gettext catalogue (.po) and what a person sees of them."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from steelyard.errors import PrepareError

_KEYWORD = re.compile(r'^(msgctxt|msgid_plural|msgid|msgstr(?:\[\d+\])?)\s+(".*")$')
_TAG = re.compile(r"<[^<>]*>|&#?\w+;")
_PLACEHOLDER = re.compile(r"%\(\w+\)[-#0 +]*\d*(?:\.\d+)?[a-z]|%[sdifr]|\{[^{}]*\}")


class Translation(NamedTuple):
    """One message in the source language and in the catalogue's."""

    original: str
    translated: str


def translations(text: str, name: str) -> Iterator[Translation]:
    """Yield the finished singular messages of a catalogue; fuzzy and obsolete ones are no text."""
    for first, block in _blocks(text):
        flags = {
            flag.strip() for line in block if line.startswith("#,") for flag in line.split(",")
        }
        fields = _fields([line for line in block if not line.startswith("#")], f"{name}:{first}")
        original = fields.get("msgid")
        if original and "fuzzy" not in flags and "msgstr" in fields:
            yield Translation(original, fields["msgstr"])


def shown(message: str) -> str:
    """Return a message without markup and placeholders, on one line."""
    return " ".join(_PLACEHOLDER.sub(" ", _TAG.sub(" ", message)).split())


def share_of_letters(text: str, whole: str) -> float:
    """Return how much of `whole` the letters of `text` are, blanks not counted."""
    # Vowel signs of Indic and Thai scripts are marks (M), not letters (L), to Unicode.
    letters = sum(unicodedata.category(sign)[0] in "LM" for sign in text)
    return letters / max(1, len("".join(whole.split())))


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the catalogue's entries with the number of their first line."""
    block: list[str] = []
    first = 1
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        if line.strip():
            first = first if block else number
            block.append(line.strip())
        elif block:
            yield first, block
            block = []


def _fields(lines: list[str], where: str) -> dict[str, str]:
    """Return an entry's strings by keyword; quoted lines continue the one before."""
    fields: dict[str, str] = {}
    keyword = ""
    for line in lines:
        match = _KEYWORD.match(line)
        if match:
            keyword = match[1]
        elif not (line.startswith('"') and keyword):
            raise PrepareError(f"{where}: not a gettext entry: {line[:40]!r}")
        fields[keyword] = fields.get(keyword, "") + _string(match[2] if match else line, where)
    return fields


def _string(quoted: str, where: str) -> str:
    """Return what a quoted string of C says; Python's literals know the same escapes."""
    try:
        return str(ast.literal_eval(quoted))
    except (SyntaxError, ValueError) as error:
        raise PrepareError(f"{where}: not a quoted string: {quoted[:40]!r}") from error
