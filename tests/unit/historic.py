"""Runs made up for histories: one record a run, a day apart, with the latencies given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from msgspec import structs
from tests.unit import builders

from steelyard.api import Score
from steelyard.history.types import Kept
from steelyard.record import SCHEMA, ArtifactRef, Cell, Host, Measurement, Record, RunFile
from steelyard.record_file import encode

BEGAN = datetime(2026, 1, 1, tzinfo=timezone.utc)
CELL = "spam/tiny@int8/cpu-1t"


def record(number: int, latency_ns: int, cell: Cell | None = None, **changes: Any) -> Record:
    """Return the record of day `number`: 40 calls of `latency_ns`, 90 MB, 5 kB, 0.9 accurate."""
    made = builders.record(
        cell=cell or builders.cell(),
        started=(BEGAN + timedelta(days=number)).isoformat(timespec="seconds"),
        scores=(Score(metric="accuracy", value=0.9, n=100, low=0.825, high=0.945),),
        artifact=ArtifactRef(
            sha256="3" * 64, size_bytes=5000, recipe_sha256="4" * 64, parameters=10
        ),
        measurements=(
            measured("latency_end_to_end", "ns", (latency_ns,) * 40),
            measured("memory_peak", "B", (90_000_000,)),
        ),
    )
    return structs.replace(made, **changes)


def measured(quantity: str, unit: str, values: tuple[int, ...]) -> Measurement:
    return Measurement(quantity=quantity, unit=unit, values=values, method="counter", scope="call")


def kept(
    number: int, latency_ns: int = 1_000_000, host: Host | None = None, **changes: Any
) -> Kept:
    return Kept(
        run=f"run-{number:03}",
        host=host or builders.host(),
        record=record(number, latency_ns, **changes),
        commit=commit(number),
    )


def commit(number: int) -> str:
    return f"{number:04x}".ljust(40, "e")


def series(latencies_ns: Sequence[int]) -> list[Kept]:
    return [kept(number, latency) for number, latency in enumerate(latencies_ns)]


def stepped(count: int = 20, at: int = 10, ratio: float = 1.1) -> list[int]:
    """Return latencies that differ by less than 1 % but for one step."""
    spread = (0, 3_000, -2_000, 5_000, -4_000)
    usual = [1_000_000 + spread[number % 5] for number in range(count)]
    return [round(one * ratio) if number >= at else one for number, one in enumerate(usual)]


def run_file(one: Kept, *more: Record) -> RunFile:
    return RunFile(
        schema=SCHEMA,
        tool_version="0.1.0",
        run=one.run,
        suite="toy",
        device=one.record.cell.device,
        started=one.record.started,
        host=one.host,
        records=(one.record, *more),
        commit=one.commit,
    )


def write(folder: Path, runs: Sequence[Kept]) -> Path:
    """Write a folder a run, as runs do; return the folder of all."""
    for one in runs:
        home = folder / one.run
        home.mkdir(parents=True)
        (home / "cpu-1t.json").write_bytes(encode(run_file(one)) + b"\n")
    return folder
