"""Answers as a model writes them in words: from a task's notation, and back to it.

Spans are lines `type: the words`, numbers stand in their order, a text is itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from steelyard.api import Label
from steelyard.card import AnswerKind
from steelyard.notation import (
    NO_SPANS,
    Span,
    format_numbers,
    format_spans,
    parse_numbers,
    parse_spans,
)

NOTHING = "none"
NO_NUMBERS = "[]"

_LINE = re.compile(r"^\W*(?P<type>\w[^:\n]*?)\s*:(?P<words>.*)$")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_BEFORE = re.compile(r"^.*:", re.MULTILINE)
_QUOTES = "\"'`\u201c\u201d\u2018\u2019*"
_AROUND = " *_`"


def empty(kind: AnswerKind) -> str:
    """Return the empty answer of a kind, in the notation of its tasks."""
    return {"spans": NO_SPANS, "numbers": NO_NUMBERS}.get(kind, "")


def write(expected: str, text: str, labels: Sequence[Label], kind: AnswerKind) -> str:
    """Return an expected answer to `text` as a model is shown to write it."""
    if kind == "spans":
        words = {label.id: label.words for label in labels}
        spans = parse_spans(expected)
        lines = [
            f"{words[name]}: {' '.join(text[start:end].split())}" for start, end, name in spans
        ]
        return "\n".join(lines) or NOTHING
    if kind == "numbers":
        return ", ".join(f"{number:g}" for number in parse_numbers(expected))
    if kind == "label":
        return next(label.words for label in labels if label.id == expected)
    return expected


def read(said: str, text: str, labels: Sequence[Label], kind: AnswerKind) -> str | None:
    """Return what was written, in the task's notation; None where it is no answer of its kind."""
    if kind == "spans":
        spans = read_spans(said, text, labels)
        return None if spans is None else format_spans(spans)
    if kind == "numbers":
        numbers = read_numbers(said)
        return format_numbers(numbers) if numbers else None
    return read_text(said)


def read_spans(said: str, text: str, labels: Sequence[Label]) -> tuple[Span, ...] | None:
    """Return the spans of lines `type: the words`; None where no line is one, nor says none.

    A line's words are looked for from the beginning of the text, whatever their case and blanks:
    their first occurrence that no line before has taken is the span. Lines of types that the task
    has not, and words that do not occur, are left out.
    """
    types = {name.casefold(): label.id for label in labels for name in (label.id, label.words)}
    lines = [_LINE.match(line) for line in said.splitlines()]
    named = [
        (types.get(line["type"].strip(_AROUND).casefold()), line["words"]) for line in lines if line
    ]
    known = [(kind, words.strip().strip(_QUOTES)) for kind, words in named if kind is not None]
    if not known:
        nothing = said.strip().strip(".").casefold() in {"", NOTHING}
        return () if nothing else None
    taken: list[Span] = []
    for kind, words in known:
        # Small models list every type and say "none" of those that they did not find.
        place = _free(words.split(), text, taken) if words.casefold() != NOTHING else None
        if place is not None:
            taken.append((*place, kind))
    return tuple(taken)


def read_numbers(said: str) -> tuple[float, ...]:
    """Return the finite numbers in their order; what stands before a colon is a line's name."""
    found = (float(number) for number in _NUMBER.findall(_BEFORE.sub("", said)))
    return tuple(number for number in found if abs(number) < float("inf"))


def read_text(said: str) -> str | None:
    """Return the first line that is not blank, or None."""
    return next((line.strip() for line in said.splitlines() if line.strip()), None)


def _free(words: Sequence[str], text: str, taken: Sequence[Span]) -> tuple[int, int] | None:
    """Return the first place of the words in the text that overlaps nothing taken."""
    if not words:
        return None
    pattern = re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE)
    at = 0
    while (found := pattern.search(text, at)) is not None:
        start, end = found.span()
        if all(end <= other[0] or start >= other[1] for other in taken):
            return start, end
        at = start + 1
    return None
