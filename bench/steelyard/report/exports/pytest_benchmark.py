"""The JSON of pytest-benchmark, so that `pytest-benchmark compare` reads a run."""

from __future__ import annotations

import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from steelyard import __version__
from steelyard.errors import ExportError
from steelyard.record import Host, Record, RunFile
from steelyard.report.columns import cell_row
from steelyard.verdict.matching import latest

# The version whose files were taken as the pattern; readers look at it.
WRITTEN_BY = "5.3.1"


class Stats(Struct, frozen=True, kw_only=True):
    """What pytest-benchmark keeps of a benchmark's rounds, in seconds.

    Quartiles, outliers and fences are by its own definitions, not by ours. `outliers` reads
    `beyond one standard deviation;beyond 1.5 interquartile ranges`.
    """

    min: float
    max: float
    mean: float
    stddev: float
    rounds: int
    median: float
    iqr: float
    q1: float
    q3: float
    iqr_outliers: int
    stddev_outliers: int
    outliers: str
    ld15iqr: float
    hd15iqr: float
    ops: float
    total: float
    data: tuple[float, ...]
    iterations: int = 1


class Benchmark(Struct, frozen=True, kw_only=True):
    """One cell. `extra_info` is its row of the archive: what a time alone does not say."""

    group: str
    name: str
    fullname: str
    params: dict[str, str]
    param: str
    extra_info: dict[str, Any]
    options: dict[str, str]
    stats: Stats


class Saved(Struct, frozen=True, kw_only=True):
    """A file of pytest-benchmark."""

    machine_info: dict[str, Any]
    commit_info: dict[str, Any]
    benchmarks: tuple[Benchmark, ...]
    datetime: str
    version: str


def text(runs: Sequence[RunFile]) -> str:
    """Return the end-to-end samples of each cell's latest record, where they are valid.

    Raises ExportError where there are none, or of several machines: a file names one.
    """
    found = [(run, record) for run, record in latest(runs) if _seconds(record)]
    if not found:
        raise ExportError(
            "no cell with a valid latency window: nothing that pytest-benchmark knows"
        )
    machines = {msgspec.json.encode(_machine(run.host)): run for run, _ in found}
    if len(machines) > 1:
        raise ExportError(
            "runs of several machines, and a file of pytest-benchmark names one; export each alone"
        )
    run = found[0][0]
    saved = Saved(
        machine_info=_machine(run.host),
        commit_info=_commit(run),
        benchmarks=tuple(_benchmark(run, record) for run, record in found),
        datetime=max(run.started for run, _ in found),
        version=WRITTEN_BY,
    )
    return msgspec.json.format(msgspec.json.encode(saved), indent=4).decode() + "\n"


def left_out(runs: Sequence[RunFile]) -> tuple[str, ...]:
    """Return the cells that have no valid latency window."""
    return tuple(record.cell.id for _, record in latest(runs) if not _seconds(record))


def stats(seconds: Sequence[float]) -> Stats:
    """Return the statistics of at least one round."""
    ordered = sorted(seconds)
    q1, q3 = _quartiles(ordered)
    mean = statistics.fmean(ordered)
    stddev = statistics.stdev(ordered) if len(ordered) > 1 else 0.0
    fence = 1.5 * (q3 - q1)
    off_mean = _outside(ordered, mean - stddev, mean + stddev)
    off_box = _outside(ordered, q1 - fence, q3 + fence)
    total = sum(seconds)
    return Stats(
        min=ordered[0],
        max=ordered[-1],
        mean=mean,
        stddev=stddev,
        rounds=len(ordered),
        median=statistics.median(ordered),
        iqr=q3 - q1,
        q1=q1,
        q3=q3,
        iqr_outliers=off_box,
        stddev_outliers=off_mean,
        outliers=f"{off_mean};{off_box}",
        ld15iqr=ordered[bisect_left(ordered, q1 - fence)],
        hd15iqr=ordered[bisect_right(ordered, q3 + fence) - 1],
        ops=len(ordered) / total if total else 0.0,
        total=total,
        data=tuple(seconds),
    )


def _quartiles(ordered: Sequence[float]) -> tuple[float, float]:
    """Return the quartiles: medians of the halves, of an odd number weighted (its method 3)."""
    n, left = divmod(len(ordered), 4)
    if len(ordered) == 1:
        return ordered[0], ordered[0]
    if not len(ordered) % 2:
        half = len(ordered) // 2
        return statistics.median(ordered[:half]), statistics.median(ordered[half:])
    if left == 1:
        low = 0.25 * ordered[n - 1] + 0.75 * ordered[n]
        return low, 0.75 * ordered[3 * n] + 0.25 * ordered[3 * n + 1]
    low = 0.75 * ordered[n] + 0.25 * ordered[n + 1]
    return low, 0.25 * ordered[3 * n + 1] + 0.75 * ordered[3 * n + 2]


def _outside(ordered: Sequence[float], low: float, high: float) -> int:
    return sum(not low <= value <= high for value in ordered)


def _benchmark(run: RunFile, record: Record) -> Benchmark:
    cell = record.cell
    facts: dict[str, Any] = msgspec.to_builtins(cell_row(run, record))
    return Benchmark(
        group=cell.task,
        name=cell.id,
        fullname=cell.id,
        params={
            "task": cell.task,
            "model": cell.model,
            "variant": cell.variant,
            "device": cell.device,
        },
        param=f"{cell.name}/{cell.device}",
        extra_info={key: value for key, value in facts.items() if value is not None},
        options={"timer": "worker"},
        stats=stats(_seconds(record)),
    )


def _seconds(record: Record) -> tuple[float, ...]:
    measured = record.measurement("latency_end_to_end")
    if measured is None or record.broken("latency"):
        return ()
    return tuple(value / 1e9 for value in measured.values)


def _machine(host: Host) -> dict[str, Any]:
    return {
        "machine": host.machine,
        "processor": host.cpu,
        "python_version": host.python,
        "system": host.system,
        "cpu": {"brand_raw": host.cpu, "count": host.cores, "arch": host.machine},
    }


def _commit(run: RunFile) -> dict[str, Any]:
    commit = run.commit or "unversioned"
    return {
        "id": commit.removesuffix("-dirty"),
        "dirty": commit.endswith("-dirty"),
        "project": f"steelyard {__version__}",
    }
