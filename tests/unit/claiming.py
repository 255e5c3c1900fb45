"""Runs made up for claims: specialists and generalists with the figures that a test asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, structs
from tests.unit import builders

from steelyard import claims, verdict
from steelyard.api import Score
from steelyard.card import TaskCard
from steelyard.claims import ClaimResult, Known, Ledger
from steelyard.record import (
    SCHEMA,
    ArtifactRef,
    Dependability,
    EnergyReading,
    Host,
    Measurement,
    Prediction,
    Record,
    RunFile,
    Sample,
)

MS = 1_000_000
MB = 1_000_000
ITEMS = 100


class Model(Struct, frozen=True, kw_only=True):
    """What a model is to have measured on every task."""

    name: str
    role: str
    right: int = 80
    call_ms: float = 10.0
    calls: int = 400
    peak: int = 100 * MB
    joules: float | None = None
    tier: int = 2
    parameters: int = 1_000_000
    again: Dependability | None = None
    more: dict[str, Any] = {}


SMALL = Model(name="tiny", role="specialist")
LARGE = Model(name="huge", role="generalist", call_ms=1000.0, peak=3000 * MB, parameters=10**9)
TASKS = ("one", "two", "three")


def run(models: Sequence[Model], tasks: Sequence[str] = TASKS, host: Host | None = None) -> RunFile:
    return RunFile(
        schema=SCHEMA,
        tool_version="0.1.0",
        run="made-up",
        suite="made-up",
        device="cpu-1t",
        started="2026-11-22T12:00:00+00:00",
        host=host or structs.replace(builders.host(), virtual="kvm"),
        records=tuple(_record(task, model) for task in tasks for model in models),
    )


def ledger(
    *models: Model,
    tasks: Sequence[str] = TASKS,
    cards: Mapping[str, TaskCard] | None = None,
    **known: Any,
) -> Ledger:
    return judged(run(models, tasks), cards, **known)


def judged(whole: RunFile, cards: Mapping[str, TaskCard] | None = None, **known: Any) -> Ledger:
    verdicts = verdict.judge([whole], load, cards or {})
    return claims.ledger(verdicts, [whole], Known(tasks=cards or {}, **known))


def claim(of: Ledger, name: str) -> ClaimResult:
    return next(one for one in of.claims if one.id == name)


def load(record: Record) -> tuple[Prediction, ...]:
    """Return predictions of which the first `right` are right."""
    right = int(record.predictions_sha256 or 0)
    return tuple(
        Prediction(id=f"i{n}", expected="a", answer="a" if n < right else "b") for n in range(ITEMS)
    )


def _record(task: str, model: Model) -> Record:
    energy: tuple[EnergyReading, ...] = ()
    if model.joules is not None:
        reading = EnergyReading(
            meter="rail",
            tier=model.tier,  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            method="sampled",
            scope="board",
            covers=("board",),
            gross_j=model.joules,
            gross_u_j=model.joules / 100,
        )
        energy = (reading,)
    facts: dict[str, Any] = {
        "cell": builders.cell(task=task, model=model.name),
        "role": model.role,
        "artifact": ArtifactRef(
            sha256="d" * 64, size_bytes=1, recipe_sha256="e" * 64, parameters=model.parameters
        ),
        "sample": Sample(n=ITEMS, of=ITEMS),
        "predictions_sha256": str(model.right),
        "scores": (Score(metric="accuracy", value=model.right / ITEMS, n=ITEMS),),
        "measurements": (
            _measured("latency_end_to_end", "ns", _calls(model)),
            _measured("memory_peak", "B", (model.peak,)),
        ),
        "energy": energy,
        "dependability": model.again,
        **model.more,
    }
    return builders.record(**facts)


def _calls(model: Model) -> tuple[int, ...]:
    """Return calls that differ by a millionth, so that intervals are narrow and not empty."""
    return tuple(round(model.call_ms * MS) + n for n in range(model.calls))


def _measured(quantity: str, unit: str, values: tuple[int, ...]) -> Measurement:
    return Measurement(quantity=quantity, unit=unit, method="counter", scope="call", values=values)
