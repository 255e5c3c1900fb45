"""Small tasks for verdicts: a specialist and a generalist with answers of one's choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace
from tests.unit.builders import TASK_CARD, cell, host, record

from steelyard import catalog, verdict
from steelyard.card import TaskCard
from steelyard.record import ArtifactRef, Measurement, Prediction, Record, RunFile
from steelyard.verdict import Means, TaskVerdict

Answers = Mapping[str, Sequence[Prediction]]


def card(**changes: Any) -> TaskCard:
    made = catalog.decode(TASK_CARD.encode(), TaskCard, "card")
    return replace(made, **{"id": "spam", **changes})


def measured(quantity: str, unit: str, *values: int) -> Measurement:
    return Measurement(
        quantity=quantity, unit=unit, values=values, method="counter", scope="process"
    )


def player(model: str, role: str, p50_ns: int = 1_000, peak: int = 100, **changes: Any) -> Record:
    usual = record(
        cell=cell(model=model),
        role=role,
        predictions_sha256="0" * 64,
        data_sha256="d" * 64,
        artifact=ArtifactRef(sha256="a" * 64, size_bytes=peak, recipe_sha256="b" * 64,
                             parameters=1),
        measurements=(
            measured("latency_end_to_end", "ns", *[p50_ns] * 20),
            measured("memory_peak", "B", peak),
        ),
    )  # fmt: skip
    return replace(usual, **changes)


def small(model: str = "mini", **changes: Any) -> Record:
    return player(model, "specialist", **changes)


def large(model: str = "giant", **changes: Any) -> Record:
    return player(model, "generalist", **{"p50_ns": 100_000, "peak": 5_000, **changes})


def answered(marks: Sequence[bool], prefix: str = "i") -> tuple[Prediction, ...]:
    return tuple(
        Prediction(id=f"{prefix}{i}", expected="a", answer="a" if right else "b")
        for i, right in enumerate(marks)
    )


def marks(b: int, c: int, n: int) -> tuple[list[bool], list[bool]]:
    """Return the marks of a small and a large model: b only the large has right, c the small."""
    rest = n - b - c
    return [False] * b + [True] * (c + rest), [True] * b + [False] * c + [True] * rest


def run(*records: Record, **changes: Any) -> RunFile:
    usual = RunFile(
        schema=2,
        tool_version="0.1.0",
        run="r",
        suite="toy",
        device="cpu-1t",
        started="2026-11-22T12:00:00+00:00",
        host=host(),
        records=records,
    )
    return replace(usual, **changes)


def load(answers: Answers) -> Callable[[Record], Sequence[Prediction] | None]:
    return lambda found: answers.get(found.cell.model)


def judged(
    answers: Answers, *records: Record, means: Means | None = None, **changes: Any
) -> TaskVerdict:
    (made,) = verdict.judge([run(*records)], load(answers), {"spam": card(**changes)}, means)
    return made


def duel(b: int, c: int, n: int, *records: Record, **changes: Any) -> TaskVerdict:
    """Judge mini against giant on n items."""
    ours, theirs = marks(b, c, n)
    answers = {"mini": answered(ours), "giant": answered(theirs)}
    return judged(answers, *(records or (small(), large())), **changes)


def as_json(value: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))
