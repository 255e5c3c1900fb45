"""Read texts with marked fields, a JSON object a line: what an OCR program read, or a person's own.

{"id": "a-1", "group": "a", "text": "Total 12.00", "fields": [{"type": "TOTAL", "start": 6, "end": 11}]}
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from steelyard.api import Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.notation import format_spans
from steelyard.readers.rows import decode_options, named_path, only_name, read_text


class MarkedOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which file of the card to read; absent: its only one."""

    file: str | None = None


class _Field(Struct, frozen=True, kw_only=True):
    """Characters from `start` to before `end`."""

    type: str
    start: Annotated[int, Meta(ge=0)]
    end: Annotated[int, Meta(ge=1)]


class _Text(Struct, frozen=True, kw_only=True):
    """What is read of a line; other keys may stand beside these."""

    id: str
    text: str
    fields: tuple[_Field, ...]
    group: str | None = None


class MarkedTexts:
    """Reader `marked-texts`."""

    def read(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> list[Item]:
        """Return a text a line; refuse fields that overlap, hold nothing or are of no label."""
        how = decode_options(options, MarkedOptions)
        name = only_name(paths, how.file)
        lines = read_text(named_path(paths, name), name, "utf-8").splitlines()
        known = {label.id for label in labels}
        return [
            _item(line, f"{name}:{number}", known)
            for number, line in enumerate(lines, 1)
            if line.strip()
        ]


def _item(line: str, where: str, known: set[str]) -> Item:
    try:
        read = msgspec.json.decode(line, type=_Text)
    except msgspec.MsgspecError as error:
        raise PrepareError(f"{where}: {error}") from error
    last = 0
    for field in sorted(read.fields, key=lambda one: one.start):
        fault = _fault(field, read.text, last, known)
        if fault:
            raise PrepareError(f"{where}: {fault}")
        last = field.end
    spans = ((field.start, field.end, field.type) for field in read.fields)
    return Item(id=read.id, text=read.text, label=format_spans(spans), group=read.group)


def _fault(field: _Field, text: str, last: int, known: set[str]) -> str | None:
    """Say what is wrong with a field, or return None."""
    where = f"{field.type} at {field.start} to {field.end}"
    if field.type not in known:
        return f"{field.type!r} is not a label of the task"
    if not field.start < field.end <= len(text):
        return f"{where} lies outside the {len(text)} characters of the text"
    if field.start < last:
        return f"{where} overlaps the field before it"
    return None
