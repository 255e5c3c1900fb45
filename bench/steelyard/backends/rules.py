"""Answer spans by regular expressions: what an office writes before it thinks of a model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from steelyard.api import Answer, SessionSpec
from steelyard.errors import WorkerError
from steelyard.notation import Span, format_spans

FILE = "rules.json"
VALUE = "value"


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pattern whose group `value` is a span of a type; `{name}` stands for a shared part.

    With `only_first` the first match in a text is taken, else all. Of rules that claim the same
    characters the earlier one has them.
    """

    type: str
    pattern: str
    only_first: bool = False


class Rules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `rules.json` holds: shared parts of patterns, and the rules in order."""

    parts: dict[str, str] = {}
    rules: tuple[Rule, ...]


class Compiled(NamedTuple):
    """A rule ready to be matched."""

    kind: str
    pattern: re.Pattern[str]
    only_first: bool


class RuleBackend:
    """A runtime of Python's regular expressions."""

    def refuse(self, spec: SessionSpec) -> str | None:
        """Say that an option was given that nothing reads, or return None."""
        if spec.options:
            return f"backend 'rules' has no session options, got {sorted(spec.options)}"
        return None

    def open(self, spec: SessionSpec) -> RuleSession:
        """Read the rules; raise WorkerError for patterns that cannot be and types nobody asked."""
        path = Path(spec.artifact) / FILE
        try:
            rules = msgspec.json.decode(path.read_bytes(), type=Rules)
        except (OSError, msgspec.MsgspecError) as error:
            raise WorkerError(f"{path}: {error}; prepare the artefact again") from error
        known = {label.id for label in spec.labels}
        odd = sorted({rule.type for rule in rules.rules} - known)
        if odd:
            raise WorkerError(f"{path}: {', '.join(odd)}: no labels of the task")
        return RuleSession(compiled(rules, str(path)))


class RuleSession:
    """Rules, matched one after the other."""

    def __init__(self, rules: tuple[Compiled, ...]) -> None:
        self._rules = rules

    def encode(self, text: str) -> str:
        return text

    def infer(self, inputs: str) -> list[Span]:
        """Return spans that do not overlap, earlier rules first."""
        found: list[Span] = []
        for rule in self._rules:
            for match in rule.pattern.finditer(inputs):
                start, end = match.span(VALUE)
                if start < end and not any(
                    start < last and first < end for first, last, _ in found
                ):
                    found.append((start, end, rule.kind))
                    if rule.only_first:
                        break
        return found

    def decode(self, outputs: list[Span]) -> Answer:
        return Answer(label=format_spans(outputs))

    def close(self) -> None:
        """Hold nothing, free nothing."""


def compiled(rules: Rules, where: str) -> tuple[Compiled, ...]:
    """Return the rules with their parts put in; raise WorkerError, with `where`, for a bad one."""
    made = []
    for number, rule in enumerate(rules.rules):
        text = rule.pattern
        for name, part in rules.parts.items():
            text = text.replace("{" + name + "}", part)
        try:
            pattern = re.compile(text, re.MULTILINE)
        except re.error as error:
            raise WorkerError(f"{where}: rules[{number}].pattern: {error}") from error
        if VALUE not in pattern.groupindex:
            raise WorkerError(f"{where}: rules[{number}].pattern: has no group (?P<{VALUE}>...)")
        made.append(Compiled(rule.type, pattern, rule.only_first))
    return tuple(made)
