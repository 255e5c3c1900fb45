"""Records as flat typed rows, one a cell and one a measurement: what archives and queries hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, get_args, get_origin

from msgspec import Struct, structs

from steelyard.api import Score
from steelyard.cost import best_reading
from steelyard.errors import StoreError
from steelyard.record import EnergyReading, Host, Measurement, Record, RunFile
from steelyard.stats import Quantile
from steelyard.verdict.matching import latency

# A row of samples is one JSON object on its way to DuckDB: this many stay below 2 MB.
_CHUNK = 100_000

_SQL: dict[Any, str] = {
    str: "VARCHAR",
    int: "BIGINT",
    float: "DOUBLE",
    bool: "BOOLEAN",
    datetime: "TIMESTAMP",
}


class CellRow(Struct, frozen=True, kw_only=True):
    """One record of one run, flat. None was not measured; a unit ends the name.

    Percentiles are order statistics of the raw samples with their 95 % interval, absent where
    there are too few samples or the window was not valid.
    """

    cell: str
    task: str
    model: str
    variant: str
    device: str
    role: str
    precision: str
    backend: str
    threads: int
    run: str
    suite: str
    started_utc: datetime
    seconds: float
    outcome: str
    reason: str | None = None
    parameters: int | None = None
    size_bytes: int | None = None
    labelled_items: int | None = None
    items_asked: int | None = None
    items_total: int | None = None
    metric: str
    score: float | None = None
    score_low: float | None = None
    score_high: float | None = None
    score_n: int | None = None
    timed_validly: bool
    latency_n: int | None = None
    p50_ns: float | None = None
    p50_low_ns: float | None = None
    p50_high_ns: float | None = None
    p99_ns: float | None = None
    p99_low_ns: float | None = None
    p99_high_ns: float | None = None
    infer_p50_ns: float | None = None
    memory_peak_bytes: int | None = None
    memory_limit_bytes: int | None = None
    load_time_ns: int | None = None
    energy_gross_j: float | None = None
    energy_gross_u_j: float | None = None
    energy_net_j: float | None = None
    energy_meter: str | None = None
    energy_tier: int | None = None
    parent: str | None = None
    warnings: str | None = None
    artifact_sha256: str | None = None
    recipe_sha256: str | None = None
    predictions_sha256: str | None = None
    data_sha256: str | None = None
    task_sha256: str
    model_sha256: str
    tool_version: str
    commit: str | None = None
    host_cpu: str
    host_cores: int
    host_memory_bytes: int
    host_machine: str
    host_system: str
    host_python: str
    host_board: str | None = None
    host_virtual: str | None = None


class SampleRow(Struct, frozen=True, kw_only=True):
    """Consecutive values of one measurement, from the one at `first`; `unit` is theirs.

    `valid` is False where the window they were taken in broke a rule.
    """

    cell: str
    run: str
    started_utc: datetime
    quantity: str
    unit: str
    valid: bool
    first: int
    data: tuple[float, ...]


def sql_types(kind: type[Struct]) -> dict[str, str]:
    """Return DuckDB's type of each column of a row type."""
    return {one.name: _sql_type(one.type) for one in structs.fields(kind)}


def _sql_type(annotation: Any) -> str:
    if get_origin(annotation) is tuple:
        return f"{_sql_type(get_args(annotation)[0])}[]"
    known = [one for one in get_args(annotation) or (annotation,) if one is not type(None)]
    return _SQL[known[0]]


def cell_rows(run: RunFile) -> Iterator[CellRow]:
    """Yield a row for each record of a run file; raise StoreError for a date that is none."""
    for record in run.records:
        yield cell_row(run, record)


def cell_row(run: RunFile, record: Record) -> CellRow:
    """Return one record as a row."""
    row = CellRow(
        cell=record.cell.id,
        **structs.asdict(record.cell),
        role=record.role,
        precision=record.precision,
        backend=record.backend,
        threads=record.threads,
        run=run.run,
        suite=run.suite,
        started_utc=_utc(run, record),
        seconds=record.seconds,
        outcome=record.outcome,
        reason=record.reason,
        metric=record.metric,
        timed_validly=not record.broken("latency"),
        parent=record.parent,
        warnings="; ".join(record.warnings) or None,
        predictions_sha256=record.predictions_sha256,
        data_sha256=record.data_sha256,
        task_sha256=record.task_sha256,
        model_sha256=record.model_sha256,
        tool_version=run.tool_version,
        commit=run.commit,
        **_host(run.host),
    )
    return structs.replace(row, **_built(record), **_score(record.score()), **_measured(record))


def sample_rows(run: RunFile) -> Iterator[SampleRow]:
    """Yield all raw values of a run file's measurements, a long one in several rows."""
    for record in run.records:
        for measured in record.measurements:
            for first in range(0, len(measured.values), _CHUNK):
                yield SampleRow(
                    cell=record.cell.id,
                    run=run.run,
                    started_utc=_utc(run, record),
                    quantity=measured.quantity,
                    unit=measured.unit,
                    valid=not record.broken(measured.quantity.partition("_")[0]),
                    first=first,
                    data=measured.values[first : first + _CHUNK],
                )


def _host(host: Host) -> dict[str, Any]:
    return {
        "host_cpu": host.cpu,
        "host_cores": host.cores,
        "host_memory_bytes": host.memory_bytes,
        "host_machine": host.machine,
        "host_system": host.system,
        "host_python": host.python,
        "host_board": host.board,
        "host_virtual": host.virtual,
    }


def _built(record: Record) -> dict[str, Any]:
    artifact, sample = record.artifact, record.sample
    limit = record.memory_limit
    asked = record.prompt.n + record.prompt.shots if record.prompt else 0
    return {
        "parameters": artifact.parameters if artifact else None,
        "size_bytes": artifact.size_bytes if artifact else None,
        "labelled_items": artifact.labelled_items + asked if artifact else None,
        "artifact_sha256": artifact.sha256 if artifact else None,
        "recipe_sha256": artifact.recipe_sha256 if artifact else None,
        "items_asked": sample.n if sample else None,
        "items_total": sample.of if sample else None,
        "memory_limit_bytes": limit.bytes if limit else None,
    }


def _score(score: Score | None) -> dict[str, Any]:
    return {
        "score": score.value if score else None,
        "score_low": score.low if score else None,
        "score_high": score.high if score else None,
        "score_n": score.n if score else None,
    }


def _measured(record: Record) -> dict[str, Any]:
    timed = record.measurement("latency_end_to_end")
    infer = _seen(record, "latency_infer", 0.5)
    return {
        "latency_n": len(timed.values) if timed else None,
        **_percentile("p50", record, 0.5),
        **_percentile("p99", record, 0.99),
        "infer_p50_ns": infer.value if infer else None,
        "memory_peak_bytes": _last(record.measurement("memory_peak")),
        "load_time_ns": _last(record.measurement("load_time")),
        **_energy(None if record.broken("energy") else best_reading(record.energy)),
    }


def _percentile(name: str, record: Record, p: float) -> dict[str, Any]:
    seen = _seen(record, "latency_end_to_end", p)
    return {
        f"{name}_ns": seen.value if seen else None,
        f"{name}_low_ns": seen.low if seen else None,
        f"{name}_high_ns": seen.high if seen else None,
    }


def _seen(record: Record, quantity: str, p: float) -> Quantile | None:
    seen = latency(record, quantity, p)
    return seen if isinstance(seen, Quantile) else None


def _energy(reading: EnergyReading | None) -> dict[str, Any]:
    if reading is None:
        return {}
    return {
        "energy_gross_j": reading.gross_j,
        "energy_gross_u_j": reading.gross_u_j,
        "energy_net_j": reading.net_j,
        "energy_meter": reading.meter,
        "energy_tier": reading.tier,
    }


def _last(measured: Measurement | None) -> int | None:
    return int(measured.values[-1]) if measured and measured.values else None


def _utc(run: RunFile, record: Record) -> datetime:
    try:
        started = datetime.fromisoformat(record.started.replace("Z", "+00:00"))
    except ValueError as error:
        raise StoreError(
            f"run {run.run}, {record.cell.id}: started at {record.started!r}, which is no date"
        ) from error
    aware = started if started.tzinfo else started.replace(tzinfo=timezone.utc)
    return aware.astimezone(timezone.utc).replace(tzinfo=None)
