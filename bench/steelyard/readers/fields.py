"""Take an item's fields out of decoded JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steelyard.errors import PrepareError
from steelyard.readers.rows import Part, Parts, Row, part_of, text_of


class FieldOptions(Parts, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which fields of a JSON object hold what; a dot goes into an object within.

    `scores` stands in for `label`: an object of label ids with numbers, of which the highest is
    the label. `strip_prefix` is taken off the front of every text.
    """

    text: str = "text"
    label: str | None = None
    scores: str | None = None
    id: str | None = None
    group: str | None = None
    part: str | None = None
    strip_prefix: str = ""


def check_options(how: FieldOptions) -> None:
    """Refuse options that cannot be meant."""
    if how.label is not None and how.scores is not None:
        raise PrepareError("reader.options: give either label or scores")
    if how.part is not None and how.train is not None:
        raise PrepareError("reader.options: give either a part field, or train and test files")


def row_of(value: Any, where: str, part: Part | None, how: FieldOptions) -> Row:
    """Return the row that a JSON object holds."""
    if not isinstance(value, Mapping):
        raise PrepareError(f"{where}: {type(value).__name__}, expected an object")

    def text(field: str | None) -> str | None:
        return None if field is None else text_of(lookup(value, field, where), where, field)

    said = text(how.part)
    return Row(
        where=where,
        text=(text(how.text) or "").removeprefix(how.strip_prefix),
        label=_label(value, where, how),
        id=text(how.id),
        group=text(how.group),
        part=part if said is None else part_of(said, where),
    )


def lookup(value: Any, path: str, where: str) -> Any:
    """Return what stands at a dotted path."""
    at = value
    for name in path.split("."):
        if not isinstance(at, Mapping) or name not in at:
            there = ", ".join(map(repr, list(at)[:12])) if isinstance(at, Mapping) else "no object"
            raise PrepareError(f"{where}: no field {path!r}; there is {there or 'nothing'}")
        at = at[name]
    return at


def _label(value: Any, where: str, how: FieldOptions) -> str:
    """Return the label, written out or as the single highest of its scores."""
    if how.scores is None:
        field = how.label or "label"
        return text_of(lookup(value, field, where), where, field).strip()
    scores = lookup(value, how.scores, where)
    if not isinstance(scores, Mapping) or not scores:
        raise PrepareError(f"{where}: {how.scores!r} is no object of label ids with numbers")
    if not all(isinstance(score, (int, float)) for score in scores.values()):
        raise PrepareError(f"{where}: {how.scores!r} holds a score that is no number")
    best = [label for label, score in scores.items() if score == max(scores.values())]
    if len(best) != 1:
        raise PrepareError(f"{where}: {how.scores!r} has {len(best)} highest labels, expected one")
    return str(best[0])
