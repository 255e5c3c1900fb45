"""Every source of data and weights in the catalog, with its terms."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from steelyard.card import (
    File,
    FileSource,
    GeneratorSource,
    HubSource,
    ModelCard,
    PackageSource,
    Source,
    TaskCard,
)
from steelyard.report.formats import harmless
from steelyard.report.sheet import ABSENT, Column, Line, Sheet
from steelyard.report.units import clean
from steelyard.report.verification.lines import counted

SCHEMA = 1

Kind = Literal["task", "model"]
# What a licence's own words restrict its object to. A licence that names neither may still ask for
# attribution or for sharing alike: its text decides, not this word.
Restriction = Literal["non-commercial", "research"]

TRAINED = "made here by its recipe"
NOTES = (
    (
        "restricted: what the words of the licence say of its use; '-' names no such restriction, "
        "and attribution or sharing alike may still be asked for."
    ),
    (
        "here: what lies in this repository (or beside your own card). All else is fetched into "
        "the cache when it is first needed, and not passed on."
    ),
    "What a recipe trains on a task is made of that task's data: its terms go with the artefact.",
)

_NON_COMMERCIAL = re.compile(r"\bNC\b|non-?commercial|not for commercial", re.IGNORECASE)
_RESEARCH = re.compile(r"\bresearch (use|only|purposes?)\b", re.IGNORECASE)


class Terms(Struct, frozen=True, kw_only=True):
    """One file of a card: its terms, where it comes from, and what of it lies beside the card.

    `file` is None for a model that is made here of no fetched weights.
    """

    kind: Kind
    card: str
    file: str | None
    licence: str
    restricted_to: Restriction | None
    origins: tuple[str, ...]
    sha256: str | None
    size_bytes: int | None
    here: bool


class Listing(Struct, frozen=True, kw_only=True):
    """The JSON listing."""

    schema: int
    sources: tuple[Terms, ...]


def terms(
    tasks: Sequence[TaskCard], models: Sequence[ModelCard], beside: Mapping[str, Sequence[str]]
) -> tuple[Terms, ...]:
    """Return the terms of all files of all cards, tasks first, by id.

    `beside` has, by `task ID` and `model ID`, the files in a card's folder but card and README.
    """
    listed: list[tuple[Kind, TaskCard | ModelCard]] = [
        *(("task", task) for task in sorted(tasks, key=lambda card: card.id)),
        *(("model", model) for model in sorted(models, key=lambda card: card.id)),
    ]
    return tuple(
        one
        for kind, card in listed
        for one in _of_card(kind, card, beside.get(f"{kind} {card.id}", ()))
    )


def restriction(licence: str) -> Restriction | None:
    """Return what a licence's words restrict use to."""
    if _NON_COMMERCIAL.search(licence):
        return "non-commercial"
    return "research" if _RESEARCH.search(licence) else None


def origin(source: Source) -> str:
    """Name a source as a person would look it up."""
    match source:
        case HubSource():
            return f"hub {source.repo}@{source.revision[:12]} {source.path}"
        case PackageSource():
            first = source.parts[0]
            more = f" and {len(source.parts) - 1} more parts" if len(source.parts) > 1 else ""
            return f"{source.registry} {first.package} {first.version}{more}"
        case FileSource():
            return f"file {source.path}"
        case GeneratorSource():
            return f"made by {source.function}"


def sheets(found: Sequence[Terms]) -> tuple[Sheet, ...]:
    """Return a table of the tasks' data and one of the models' weights."""
    titles = {"task": "data of the tasks", "model": "weights of the models"}
    return tuple(
        _sheet(title, [one for one in found if one.kind == kind])
        for kind, title in titles.items()
        if any(one.kind == kind for one in found)
    )


def json_text(found: Iterable[Terms]) -> str:
    """Return the listing as JSON."""
    listing = Listing(schema=SCHEMA, sources=tuple(found))
    encoded = msgspec.json.encode(listing, order="deterministic")
    return msgspec.json.format(encoded, indent=2).decode() + "\n"


def csv_text(found: Iterable[Terms]) -> str:
    """Return the listing as CSV, a file a line; a spreadsheet reads no cell of it as a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(Terms.__struct_fields__)
    for one in found:
        values = (*msgspec.structs.astuple(one),)
        texts = ("; ".join(value) if isinstance(value, tuple) else value for value in values)
        writer.writerow([harmless(_plain(text)) for text in texts])
    return out.getvalue()


def _plain(value: str | int | bool | None) -> str | int | None:
    return ("yes" if value else "no") if isinstance(value, bool) else value


def _of_card(kind: Kind, card: TaskCard | ModelCard, beside: Sequence[str]) -> list[Terms]:
    named_by_file = any(restriction(file.licence) for file in card.files)
    # A restriction that only the card names holds for all of its files.
    whole = None if named_by_file else restriction(card.licence)
    found = [_of_file(kind, card.id, file, beside, whole) for file in card.files]
    named = {source.path for file in card.files for source in _local(file)}
    loose = sorted(set(beside) - named)
    found += [_made(kind, card, name, "beside the card", here=True) for name in loose]
    return found or [_made(kind, card, None, TRAINED, here=False)]


def _of_file(
    kind: Kind, card: str, file: File, beside: Sequence[str], whole: Restriction | None
) -> Terms:
    return Terms(
        kind=kind,
        card=card,
        file=file.name,
        licence=file.licence,
        restricted_to=restriction(file.licence) or whole,
        origins=tuple(origin(source) for source in file.sources),
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        here=any(source.path in beside for source in _local(file)),
    )


def _made(
    kind: Kind, card: TaskCard | ModelCard, name: str | None, how: str, *, here: bool
) -> Terms:
    refused = isinstance(card, ModelCard) and card.refusal is not None
    return Terms(
        kind=kind,
        card=card.id,
        file=name,
        licence=card.licence,
        restricted_to=restriction(card.licence),
        origins=("not fetched: its cells are refused" if refused else how,),
        sha256=None,
        size_bytes=None,
        here=here,
    )


def _local(file: File) -> list[FileSource]:
    return [source for source in file.sources if isinstance(source, FileSource)]


def _sheet(title: str, found: Sequence[Terms]) -> Sheet:
    names = ("file", "licence", "restricted", "from", "here")
    return Sheet(
        title=title,
        group="card",
        columns=tuple(Column(title=name, figures=False) for name in names),
        lines=tuple(_line(one) for one in found),
        notes=(),
        lead=_lead(found),
    )


def _line(one: Terms) -> Line:
    cells = (
        one.file or ABSENT,
        one.licence,
        one.restricted_to or ABSENT,
        "; or ".join(one.origins),
        "yes" if one.here else "no",
    )
    return Line(role=one.card, cells=tuple(clean(cell) for cell in cells))


def _lead(found: Sequence[Terms]) -> str:
    """Say how many are restricted, and how many lie here."""
    bound = sorted({one.card for one in found if one.restricted_to is not None})
    named = f": {', '.join(bound)}" if bound else ""
    here = sum(one.here for one in found)
    files = sum(one.file is not None for one in found)
    return (
        f"{counted(files, 'file')} of {counted(len({one.card for one in found}), 'card')}; "
        f"restricted in use, of {len(bound)}{named}; in this repository: {here or 'none'}."
    )
