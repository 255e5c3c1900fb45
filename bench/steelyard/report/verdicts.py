"""Verdicts in one line each, the rule that led to them, and both as JSON."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from steelyard.report.units import clean
from steelyard.verdict import FAMILY, RULE, TaskVerdict, words

SCHEMA = 1


class Verdicts(Struct, frozen=True, kw_only=True):
    """The JSON of `steelyard verdict`: the rule with the verdicts it led to."""

    schema: int
    rule: str
    family: str
    tasks: tuple[TaskVerdict, ...]


def line(verdict: TaskVerdict) -> str:
    """Return a task's verdict in one line: `small wins: ... (expected beforehand: open)`."""
    return clean(f"{words.OUTCOMES[verdict.outcome]}: {verdict.reason} {_expected(verdict)}")


def legend() -> tuple[str, ...]:
    """Return the rule, and how its tests are made."""
    return f"verdict: {RULE}", f"tests: {FAMILY}"


def json_text(verdicts: Iterable[TaskVerdict]) -> str:
    """Return verdicts as JSON, with the rule."""
    whole = Verdicts(schema=SCHEMA, rule=RULE, family=FAMILY, tasks=tuple(verdicts))
    encoded = msgspec.json.encode(whole, order="deterministic")
    return msgspec.json.format(encoded, indent=2).decode() + "\n"


def _expected(verdict: TaskVerdict) -> str:
    if verdict.expectation is None:
        return "(nothing is known of what was expected)"
    return f"(expected beforehand: {verdict.expectation})"
