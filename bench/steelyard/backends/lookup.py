"""Answer the strings that were marked in training, wherever they stand: the floor of span tasks."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from steelyard.api import Answer, SessionSpec
from steelyard.errors import WorkerError
from steelyard.notation import Span, format_spans
from steelyard.recipes.span_tags import Units, places

FILE = "lookup.json"

Words = tuple[str, ...]
Encoded = tuple[Words, list[tuple[int, int]]]


class Strings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `lookup.json` holds: marked strings, unit by unit, each with its type.

    `otherwise` is the type of a unit that no string begins at, None for none.
    """

    units: Units
    otherwise: str | None
    strings: tuple[tuple[Words, str], ...]


class Lookup:
    """A runtime that looks strings up."""

    def refuse(self, spec: SessionSpec) -> str | None:
        """Say that an option was given that nothing reads, or return None."""
        if spec.options:
            return f"backend 'lookup' has no session options, got {sorted(spec.options)}"
        return None

    def open(self, spec: SessionSpec) -> LookupSession:
        """Load the strings; raise WorkerError for types that the task has not."""
        path = Path(spec.artifact) / FILE
        try:
            strings = msgspec.json.decode(path.read_bytes(), type=Strings)
        except (OSError, msgspec.MsgspecError) as error:
            raise WorkerError(f"{path}: {error}; prepare the artefact again") from error
        odd = {kind for _, kind in strings.strings} - {label.id for label in spec.labels}
        if odd:
            raise WorkerError(f"{path}: {', '.join(sorted(odd))}: no labels of the task")
        return LookupSession(strings)


class LookupSession:
    """Takes the longest known string at each place, from left to right."""

    def __init__(self, strings: Strings) -> None:
        self._kinds = dict(strings.strings)
        self._longest = max((len(words) for words in self._kinds), default=0)
        self._units: Units = strings.units
        self._otherwise = strings.otherwise

    def encode(self, text: str) -> Encoded:
        """Return the units of a text and where they stand."""
        at = places(text, self._units)
        return tuple(text[start:end] for start, end in at), at

    def infer(self, inputs: Encoded) -> list[Span]:
        words, at = inputs
        spans: list[Span] = []
        first = 0
        while first < len(words):
            last, kind = self._known(words, first)
            if kind is not None:
                spans.append((at[first][0], at[last - 1][1], kind))
            first = last
        return spans

    def decode(self, outputs: list[Span]) -> Answer:
        return Answer(label=format_spans(outputs))

    def close(self) -> None:
        """Hold nothing, free nothing."""

    def _known(self, words: Words, first: int) -> tuple[int, str | None]:
        """Return where the longest known string at `first` ends, and its type."""
        for last in range(min(first + self._longest, len(words)), first, -1):
            kind = self._kinds.get(words[first:last])
            if kind is not None:
                return last, kind
        return first + 1, self._otherwise
