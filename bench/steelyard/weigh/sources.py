"""Open a person's file, whatever its form, and yield its rows one by one."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from steelyard.errors import DataError, OptionError
from steelyard.progress import Bar, Progress
from steelyard.report.units import clean
from steelyard.weigh import decoding, delimited
from steelyard.weigh.rows import Columns, Format, Raw, Unreadable, no_columns, row_of

FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
STANDARD_INPUT = Path("-")
_BATCH = 2048


class Source(Struct, frozen=True, kw_only=True):
    """A file (or `-`), its form and its encoding; None where the file tells."""

    path: Path
    format: Format
    encoding: str | None = None

    @property
    def name(self) -> str:
        """Say which file it is."""
        return "standard input" if self.path == STANDARD_INPUT else clean(self.path.name)


def source(path: Path, form: Format | None, encoding: str | None) -> Source:
    """Return what is to be read; raise DataError where that cannot be."""
    if encoding is not None:
        decoding.check_encoding(encoding)
    if path == STANDARD_INPUT:
        if form == "parquet":
            raise OptionError("standard input: Parquet is read from a file only")
        return Source(path=path, format=form or "csv", encoding=encoding)
    if path.is_dir():
        raise OptionError(f"{clean(str(path))}: is a folder; name one file")
    if not path.exists():
        raise OptionError(f"{clean(str(path))}: no such file")
    known = form or FORMATS.get(path.suffix.lower())
    if known is None:
        raise OptionError(
            f"{clean(path.name)}: what is {clean(path.suffix) or 'a file without extension'}? "
            "Say --format csv, jsonl or parquet"
        )
    return Source(path=path, format=known, encoding=encoding)


def rows(source: Source, columns: Columns, progress: Progress) -> Iterator[Raw]:
    """Yield the rows of a source in its order; no more than a piece of it is in memory."""
    try:
        if source.format == "parquet":
            yield from _parquet(source, columns, progress)
        else:
            yield from _text(source, columns, progress)
    except OSError as error:
        raise DataError(f"{source.name}: cannot be read: {error.strerror or error}") from error


def _text(source: Source, columns: Columns, progress: Progress) -> Iterator[Raw]:
    total = None
    if source.path != STANDARD_INPUT and source.path.is_file():
        total = source.path.stat().st_size
    with progress.bar(f"reading {source.name}", total, "B") as bar:
        if source.path == STANDARD_INPUT:
            yield from _lines(sys.stdin.buffer, source, columns, bar)
            return
        with source.path.open("rb") as stream:
            yield from _lines(stream, source, columns, bar)


def _lines(stream: BinaryIO, source: Source, columns: Columns, bar: Bar) -> Iterator[Raw]:
    lines = decoding.lines(stream, source.encoding, source.name, bar.advance)
    reading = delimited.rows if source.format == "csv" else _objects
    return reading(lines, columns, source.name)


def _objects(lines: Iterator[str], columns: Columns, name: str) -> Iterator[Raw]:
    """Yield the rows of JSON lines."""
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if number == 1 and line.lstrip().startswith("["):
            raise DataError(f"{name}: holds a JSON list; write one object a line (JSON lines)")
        try:
            value = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):
            yield Unreadable(line=number, reason="no JSON object")
            continue
        if not isinstance(value, dict):
            yield Unreadable(line=number, reason="no JSON object")
            continue
        if not seen:
            seen = set(value)
            # One column missing in all rows is a slip, and not so many bad rows.
            if not {columns.text, columns.label} & seen:
                raise no_columns(name, columns, sorted(seen))
        yield row_of(number, columns, value)


def _parquet(source: Source, columns: Columns, progress: Progress) -> Iterator[Raw]:
    """Yield the rows of a Parquet file, by DuckDB: it reads a piece at a time."""
    try:
        import duckdb
    except ImportError as error:
        raise DataError(
            "Parquet needs duckdb\ntry: pip install 'steelyard[report]', or save it as CSV"
        ) from error
    with (
        tempfile.TemporaryDirectory(prefix="steelyard-") as folder,
        progress.bar(f"reading {source.name}", None, "items") as bar,
        duckdb.connect(config=_SHUT) as database,
    ):
        # Under a name of ours: in one of theirs DuckDB would take `*` and `[` for patterns.
        link = Path(folder) / "data.parquet"
        link.symlink_to(source.path.absolute())
        try:
            yield from _table(database, link, columns, source.name, bar)
        except duckdb.Error as error:
            raise DataError(f"{source.name}: no Parquet file that can be read") from error


# Nothing is fetched or loaded on the way, and the data stays out of temporary files.
_SHUT: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "threads": "1",
    "memory_limit": "1GB",
    "temp_directory": "",
    "preserve_insertion_order": "true",
}


def _table(database: Any, path: Path, columns: Columns, name: str, bar: Bar) -> Iterator[Raw]:
    there = [
        row[0]
        for row in database.execute(
            "SELECT column_name FROM (DESCRIBE SELECT * FROM read_parquet(?))", [str(path)]
        ).fetchall()
    ]
    if not set(columns.named) <= set(there):
        raise no_columns(name, columns, there)
    picked = ", ".join('"' + column.replace('"', '""') + '"' for column in columns.named)
    found = database.execute(f"SELECT {picked} FROM read_parquet(?)", [str(path)])  # noqa: S608
    number = 0
    while batch := found.fetchmany(_BATCH):
        bar.advance(len(batch))
        for values in batch:
            number += 1
            yield row_of(number, columns, dict(zip(columns.named, values, strict=True)))
