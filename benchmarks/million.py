"""A million records: how long writing, reading and asking take, and how much memory.

    nice -n 19 python -m benchmarks.million --records 1000000

Makes synthetic records in a temporary folder, which it removes; needs the extra `report`.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import structs

from steelyard.record import SCHEMA, ArtifactRef, Cell, Host, Measurement, Record, RunFile
from steelyard.record_file import encode
from steelyard.report import archive, columns, query

BEGAN = datetime(2026, 1, 1)  # noqa: DTZ001 - a column in UTC
SAMPLES = 300
ASKED = {
    "summary, the latest of every cell": None,
    "count": "SELECT count(*) FROM cells",
    "median p50 by model and device": (
        "SELECT model, device, median(p50_ns), avg(score) FROM cells GROUP BY ALL ORDER BY ALL"
    ),
    "trend by month": (
        "SELECT date_trunc('month', started_utc) AS month, task, quantile_disc(p99_ns, 0.9) "
        "FROM cells WHERE timed_validly GROUP BY ALL ORDER BY ALL"
    ),
    "all columns, sorted": "SELECT * FROM cells ORDER BY score, p50_ns, cell LIMIT 10",
}


def record(task: str, model: str, device: str, draw: random.Random) -> Record:
    """Return a record with samples as a run leaves it."""
    part = [draw.randrange(10**6, 2 * 10**6) for _ in range(SAMPLES)]
    timed = [("encode", part), ("infer", part), ("decode", part)]
    timed.append(("end_to_end", [3 * value for value in part]))
    return Record(
        cell=Cell(task=task, model=model, variant="int8", device=device),
        outcome="ok",
        started=f"{BEGAN.isoformat()}+00:00",
        seconds=12.0,
        task_sha256="1" * 64,
        model_sha256="2" * 64,
        role="specialist",
        precision="int8",
        backend="onnxruntime",
        threads=1,
        metric="accuracy",
        artifact=ArtifactRef(
            sha256="3" * 64, size_bytes=10**7, recipe_sha256="4" * 64, parameters=10**7
        ),
        measurements=tuple(
            Measurement(
                quantity=f"latency_{name}",
                unit="ns",
                values=tuple(values),
                method="counter",
                scope="call",
            )
            for name, values in timed
        ),
    )


def run_of(records: tuple[Record, ...], number: int) -> RunFile:
    """Return a run file with the records."""
    host = Host(
        machine="x86_64", cpu="Testium", cores=2, memory_bytes=8 << 30, system="L", python="3.11"
    )
    return RunFile(
        schema=SCHEMA,
        tool_version="0.1.0",
        run=f"run-{number:05}",
        suite="million",
        device=records[0].cell.device,
        started=records[0].started,
        host=host,
        records=records,
    )


def rows(count: int, draw: random.Random) -> Iterator[columns.CellRow]:
    """Yield rows of 6 tasks x 10 models x 50 devices, over and over through time."""
    first = columns.cell_row(run_of((record("t", "m", "d", draw),), 0), record("t", "m", "d", draw))
    for number in range(count):
        task, model, device = number % 6, number // 6 % 10, number // 60 % 50
        yield structs.replace(
            first,
            cell=f"task-{task}/model-{model}@int8/pi-{device}",
            task=f"task-{task}",
            model=f"model-{model}",
            device=f"pi-{device}",
            run=f"run-{number // 60:06}",
            started_utc=BEGAN + timedelta(minutes=number),
            score=round(draw.random(), 4),
            p50_ns=float(draw.randrange(10**6, 10**8)),
            p99_ns=float(draw.randrange(10**8, 10**9)),
            predictions_sha256=f"{draw.getrandbits(256):064x}",
        )


@contextmanager
def timed(what: str) -> Generator[None]:
    """Print how long a block took, and the most memory that was resident so far."""
    start = time.perf_counter()
    yield
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{seconds:8.2f} s  {peak:7.0f} MiB  {what}", flush=True)


def main() -> None:
    """Make, write, ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--run-files", type=int, default=50, help="of 40 records each")
    given = parser.parse_args()
    draw = random.Random(0)  # noqa: S311 - figures, no secrets
    print("    took   peak so far")
    with TemporaryDirectory(prefix="steelyard-million-") as name:
        folder, path = Path(name), Path(name, "cells.parquet")
        for number in range(given.run_files):
            made = tuple(record(f"task-{i}", "m", f"pi-{number}", draw) for i in range(40))
            (folder / f"{number:05}.json").write_bytes(encode(run_of(made, number)) + b"\n")
        with timed(f"from {given.run_files} run files of 40 records, {SAMPLES} calls each"):
            archive.write(archive.run_files([folder]), "cells", Path(name, "some.parquet"))
        with timed(f"{given.records:,} rows made and written as Parquet"):
            archive.write_rows(rows(given.records, draw), "cells", path)
        print(f"{path.stat().st_size / 1e6:.0f} MB of Parquet")
        for what, sql in ASKED.items():
            with timed(what), query.queried([path], sql) as answer:
                found = sum(1 for _ in answer.rows)
            print(f"{'':23}{found:,} rows")


if __name__ == "__main__":
    main()
