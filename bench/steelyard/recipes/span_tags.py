"""Spans as tags of words and back: what taggers learn, and how their tags are read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from steelyard.api import Item
from steelyard.notation import Span, parse_spans

# "words": runs of letters and digits, and each other sign; "tokens": what stands between blanks.
Units = Literal["words", "tokens"]
Place = tuple[int, int]

OUTSIDE = "O"
BEGIN, INSIDE = "B-", "I-"

_PATTERNS: dict[Units, re.Pattern[str]] = {
    "words": re.compile(r"\w+|[^\w\s]"),
    "tokens": re.compile(r"\S+"),
}


def places(text: str, units: Units) -> list[Place]:
    """Return where each unit of a text stands: its first character, one past its last."""
    return [found.span() for found in _PATTERNS[units].finditer(text)]


def units_of(items: Iterable[Item]) -> Units:
    """Return the units that train items are marked in: tokens, if each of them is one span."""
    every = all(
        [(start, end) for start, end, _ in parse_spans(item.label)] == places(item.text, "tokens")
        for item in items
    )
    return "tokens" if every else "words"


def tags_of(spans: Sequence[Span], at: Sequence[Place]) -> list[str]:
    """Return a tag a unit: `B-type` where a span begins, `I-type` where it goes on, else `O`.

    The scheme IOB2 (Tjong Kim Sang and Veenstra, E99-1023). A unit that a span cuts belongs to it.
    """
    tags = [OUTSIDE] * len(at)
    for start, end, kind in spans:
        mark = BEGIN
        for number, (first, last) in enumerate(at):
            if first < end and last > start and tags[number] == OUTSIDE:
                tags[number] = mark + kind
                mark = INSIDE
    return tags


def spans_of(tags: Sequence[str], at: Sequence[Place]) -> list[Span]:
    """Return the spans of tags; an `I-` without a span of its type before it begins one."""
    spans: list[Span] = []
    before = OUTSIDE
    for tag, (start, end) in zip(tags, at, strict=True):
        kind = tag[len(BEGIN) :]
        if tag.startswith(INSIDE) and before[len(BEGIN) :] == kind:
            spans[-1] = (spans[-1][0], end, kind)
        elif tag != OUTSIDE:
            spans.append((start, end, kind))
        before = tag
    return spans


def tag_names(kinds: Iterable[str]) -> tuple[str, ...]:
    """Return all tags of span types, outside first."""
    return (OUTSIDE, *(mark + kind for kind in kinds for mark in (BEGIN, INSIDE)))
