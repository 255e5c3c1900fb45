"""Records as Parquet by DuckDB, written in a stream: memory holds a part of them at a time."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from steelyard import store
from steelyard.errors import ExportError, Refusal
from steelyard.report.columns import CellRow, SampleRow, cell_rows, sample_rows, sql_types

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from steelyard.record import RunFile

Kind = Literal["cells", "samples"]

# What DuckDB may hold in memory; more goes to a temporary folder.
MEMORY = "1GB"
# Rows become Parquet in parts of this size: a temporary folder may be memory too.
_PART_BYTES = 32 << 20
_OBJECT_BYTES = 8 << 20

_ROWS: dict[Kind, type[Struct]] = {"cells": CellRow, "samples": SampleRow}


def run_files(sources: Iterable[Path]) -> Iterator[RunFile]:
    """Yield the run files of folders and files, one in memory at a time; raise StoreError."""
    for source in sources:
        found = sorted(source.glob("*.json")) if source.is_dir() else []
        for path in found or [source]:
            yield from store.read_runs(path)


def rows(runs: Iterable[RunFile], kind: Kind) -> Iterator[Struct]:
    """Yield the rows of the runs, one for each record or for each measurement."""
    for run in runs:
        yield from cell_rows(run) if kind == "cells" else sample_rows(run)


def write(runs: Iterable[RunFile], kind: Kind, output: Path) -> None:
    """Write all records of the runs, or all raw samples, as one Parquet file.

    Raises Refusal without DuckDB, ExportError where the file cannot be written.
    """
    write_rows(rows(runs, kind), kind, output)


def write_rows(given: Iterable[Struct], kind: Kind, output: Path) -> None:
    """Write rows as one Parquet file; it is there as a whole or not at all."""
    with TemporaryDirectory(prefix="steelyard-parquet-") as name:
        made = Path(name, "whole")
        convert(given, kind, made)
        beside = output.with_name(f".{output.name}.tmp")
        try:
            shutil.copyfile(made, beside)
            beside.replace(output)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise ExportError(f"{output}: cannot be written: {error.strerror}") from error


def convert(given: Iterable[Struct], kind: Kind, made: Path) -> None:
    """Write rows as Parquet to `made`, alone in a temporary folder."""
    folder = made.parent
    typed = ", ".join(f"{name}: '{sql}'" for name, sql in sql_types(_ROWS[kind]).items())
    read = (
        f"FROM read_json({quoted(folder / 'part.json')}, format = 'newline_delimited', "
        f"maximum_object_size = {_OBJECT_BYTES}, columns = {{{typed}}})"
    )
    if kind == "samples":
        read += " SELECT * EXCLUDE (first, data), unnest(data) AS value, "
        read += "first + generate_subscripts(data, 1) - 1 AS index"
    with connected(folder) as connection, explained(kind):
        for number, part in enumerate(_parts(given)):
            (folder / "part.json").write_bytes(part)
            _copy(connection, read, folder / f"part-{number:06}.parquet")
        parts = f"FROM read_parquet({quoted(folder / 'part-*.parquet')})"
        _copy(connection, parts, made)


def _parts(given: Iterable[Struct]) -> Iterator[bytes]:
    """Yield rows as JSON lines, some megabytes at a time; at least once."""
    encoder = msgspec.json.Encoder()
    part = bytearray()
    for row in given:
        part += encoder.encode(row) + b"\n"
        if len(part) >= _PART_BYTES:
            yield bytes(part)
            part.clear()
    yield bytes(part)


def _copy(connection: DuckDBPyConnection, source: str, path: Path) -> None:
    connection.execute(f"COPY ({source}) TO {quoted(path)} (FORMAT parquet, COMPRESSION zstd)")


@contextmanager
def connected(folder: Path) -> Generator[DuckDBPyConnection]:
    """Lend a DuckDB in memory that spills into `folder`; raise Refusal where there is none."""
    try:
        import duckdb
    except ImportError as error:
        raise Refusal("duckdb is not installed\ntry: pip install 'steelyard[report]'") from error
    spill = str(folder / "spill")
    with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": spill}) as connection:
        yield connection


@contextmanager
def explained(where: str) -> Generator[None]:
    """Turn DuckDB's errors into one line."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        said = " ".join(str(error).split("\n\n", maxsplit=1)[0].split())
        raise ExportError(f"{where}: {said}") from error


def quoted(path: Path | str) -> str:
    """Return a path as SQL text."""
    return "'" + str(path).replace("'", "''") + "'"
