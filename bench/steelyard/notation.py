"""How answers that are no labels are written as one string: spans, numbers.

Two equal answers are the same string, so that answers can be compared, counted and kept as labels
are. Text needs no notation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from steelyard.errors import SteelyardError

# A stretch of a text: first character, one past the last, the type of what stands there.
Span = tuple[Annotated[int, Meta(ge=0)], Annotated[int, Meta(ge=1)], str]

NO_SPANS = "[]"
DIGITS = 6


class NotationError(SteelyardError):
    """A string that is not in its task's notation."""


def format_spans(spans: Iterable[Span]) -> str:
    """Write spans in the order of the text, each once; raise NotationError for an empty one."""
    ordered = sorted(set(spans))
    _check(ordered)
    return msgspec.json.encode(ordered).decode()


def parse_spans(text: str) -> tuple[Span, ...]:
    """Read what `format_spans` wrote; raise NotationError for anything else."""
    try:
        spans = msgspec.json.decode(text, type=tuple[Span, ...])
    except msgspec.MsgspecError as error:
        raise NotationError(f"{text[:60]!r} is no list of spans: {error}") from error
    _check(spans)
    return spans


def format_numbers(numbers: Iterable[float]) -> str:
    """Write finite numbers with six significant digits; raise NotationError for others."""
    rounded = [float(f"{number:.{DIGITS}g}") for number in numbers]
    if not all(math.isfinite(number) for number in rounded):
        raise NotationError("an answer of numbers has one that is not finite")
    return msgspec.json.encode(rounded).decode()


def parse_numbers(text: str) -> tuple[float, ...]:
    """Read what `format_numbers` wrote; raise NotationError for anything else."""
    try:
        return msgspec.json.decode(text, type=tuple[float, ...])
    except msgspec.MsgspecError as error:
        raise NotationError(f"{text[:60]!r} is no list of numbers: {error}") from error


def _check(spans: Iterable[Span]) -> None:
    for start, end, _ in spans:
        if start >= end:
            raise NotationError(f"a span from {start} to {end} holds nothing")
