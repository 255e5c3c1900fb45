"""Read items from delimited text: CSV, TSV and their relatives."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from steelyard.api import Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.rows import (
    Part,
    Parts,
    Row,
    chosen_files,
    decode_options,
    items_of,
    part_of,
    read_text,
)

Column = str | int


class DelimitedOptions(Parts, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a delimited file is laid out.

    `skip` lines come before the header (or the first row); a column is a name of the header or a
    number from 0. `part` is a column that says "train" or "test".
    """

    delimiter: str = ","
    quotes: bool = True
    header: bool = True
    skip: int = 0
    text: Column = "text"
    label: Column = "label"
    id: Column | None = None
    group: Column | None = None
    part: Column | None = None


class _Columns(Struct, frozen=True, kw_only=True):
    text: int
    label: int
    id: int | None
    group: int | None
    part: int | None


class Delimited:
    """Reader `delimited`."""

    def read(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> list[Item]:
        """Return the rows of one file, or of a train and a test file."""
        how = decode_options(options, DelimitedOptions)
        _check(how)
        files = list(chosen_files(paths, how))
        rows = (row for name, path, part in files for row in _rows(path, name, part, how))
        return items_of(rows, labels, how, ", ".join(name for name, _, _ in files))


def _check(how: DelimitedOptions) -> None:
    """Refuse options that cannot be meant."""
    if len(how.delimiter) != 1:
        raise PrepareError(f"reader.options.delimiter: {how.delimiter!r}, expected one character")
    if how.skip < 0:
        raise PrepareError(f"reader.options.skip: {how.skip}, expected 0 or more lines")
    if how.part is not None and how.train is not None:
        raise PrepareError("reader.options: give either a part column, or train and test files")


def _rows(path: Path, name: str, part: Part | None, how: DelimitedOptions) -> Iterator[Row]:
    """Yield a file's rows, each with the line it ends on."""
    lines = _lines(path, name, how)
    columns: _Columns | None = None
    width = 0
    for number, cells in lines:
        if not cells:
            continue
        if columns is None:
            columns = _columns(cells, name, number, how)
            width = len(cells)
            if how.header:
                continue
        where = f"{name}:{number}"
        if len(cells) != width:
            raise PrepareError(
                f"{where}: {len(cells)} columns, expected {width}; "
                "is the delimiter right, and is text that holds it quoted?"
            )
        yield _row(cells, columns, where, part)


def _lines(path: Path, name: str, how: DelimitedOptions) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of every line after the skipped ones."""
    # newline="" leaves line ends inside quoted text to the csv module, as its manual asks.
    stream = io.StringIO(read_text(path, name, how.encoding), newline="")
    for _ in range(how.skip):
        stream.readline()
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if how.quotes else csv.QUOTE_NONE
    reader = csv.reader(stream, delimiter=how.delimiter, quoting=quoting, strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise PrepareError(f"{name}:{how.skip + reader.line_num}: {error}") from error
        yield how.skip + reader.line_num, cells


def _row(cells: list[str], columns: _Columns, where: str, part: Part | None) -> Row:
    """Return one row from its cells."""
    return Row(
        where=where,
        text=cells[columns.text],
        label=cells[columns.label].strip(),
        id=None if columns.id is None else cells[columns.id],
        group=None if columns.group is None else cells[columns.group],
        part=part if columns.part is None else part_of(cells[columns.part].strip(), where),
    )


def _columns(first: list[str], name: str, line: int, how: DelimitedOptions) -> _Columns:
    """Find the columns in a file's first line."""

    def find(option: str, column: Column) -> int:
        index = _index(first, column, how)
        if index is None:
            raise PrepareError(f"{name}:{line}: {_missing(first, option, column, how)}")
        return index

    return _Columns(
        text=find("text", how.text),
        label=find("label", how.label),
        id=None if how.id is None else find("id", how.id),
        group=None if how.group is None else find("group", how.group),
        part=None if how.part is None else find("part", how.part),
    )


def _index(first: list[str], column: Column, how: DelimitedOptions) -> int | None:
    """Return a column's number, or None if the line has no such column."""
    if isinstance(column, int):
        return column if 0 <= column < len(first) else None
    names = [cell.strip() for cell in first]
    return names.index(column) if how.header and column in names else None


def _missing(first: list[str], option: str, column: Column, how: DelimitedOptions) -> str:
    """Say what was expected where a column is missing, and what is there."""
    if isinstance(column, str) and not how.header:
        return f"reader.options.{option}: without a header, give a column number, not {column!r}"
    if isinstance(column, int):
        return f"no column {column} for {option}; the line has {len(first)}, counted from 0"
    there = ", ".join(repr(cell.strip()) for cell in first[:12])
    return f"no column {column!r} for {option}; the header has {there}"
