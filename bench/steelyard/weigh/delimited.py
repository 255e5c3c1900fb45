"""Lines -> rows of CSV and its relatives: the delimiter is told by the columns it yields."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain

from steelyard.errors import DataError
from steelyard.weigh.rows import (
    MAX_CELL,
    Cells,
    Columns,
    Raw,
    Unreadable,
    no_columns,
)

DELIMITERS = ",;\t|"
_EXCEL = re.compile(r"^sep=(.)\r?\n$", re.IGNORECASE)


def rows(lines: Iterator[str], columns: Columns, name: str) -> Iterator[Raw]:
    """Yield every row after the header; raise DataError where no row after it can be trusted."""
    first, skipped = _first(lines, name)
    said = _EXCEL.match(first)
    if said:
        first, more = _first(lines, name)
        skipped += more
    delimiter = said[1] if said else _delimiter(first, columns, name)
    found = _records(chain([first], lines), delimiter, name, skipped - 1)
    _, header = next(found)
    names = _header(header, columns, name)
    places = [names.index(column) for column in columns.named]
    for span, cells in found:
        yield _row(span, cells, columns, places, len(names))


def _first(lines: Iterator[str], name: str) -> tuple[str, int]:
    """Return the first line that is not blank, and its number among those that were left."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            return line, number
    raise DataError(f"{name}: the file is empty")


def _delimiter(line: str, columns: Columns, name: str) -> str:
    """Return the delimiter under which the header has the wanted columns."""
    found: list[tuple[int, str]] = []
    there: list[str] = []
    for delimiter in DELIMITERS:
        try:
            names = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
        except csv.Error:
            continue
        there = max(there, names, key=len)
        if set(columns.named) <= set(names):
            found.append((len(names), delimiter))
    if not found:
        raise no_columns(name, columns, there)
    return max(found, key=lambda pair: pair[0])[1]


def _header(cells: Sequence[str] | str, columns: Columns, name: str) -> list[str]:
    if isinstance(cells, str):
        raise DataError(f"{name}: the header: {cells}")
    names = [cell.strip() for cell in cells]
    twice = next((column for column in columns.named if names.count(column) > 1), None)
    if twice is not None:
        raise DataError(f"{name}: column {twice!r} stands twice in the header; rename one")
    if not set(columns.named) <= set(names):
        raise no_columns(name, columns, names)
    return names


def _records(
    lines: Iterator[str], delimiter: str, name: str, skipped: int
) -> Iterator[tuple[tuple[int, int], list[str] | str]]:
    """Yield the first and last line of each record with its cells, or with what is wrong."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    before = csv.field_size_limit(MAX_CELL)
    try:
        while True:
            start = skipped + reader.line_num + 1
            try:
                cells: list[str] | str = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                cells = _fault(str(error), f"{name}:{start}")
            if cells:
                yield (start, skipped + reader.line_num), cells
    finally:
        csv.field_size_limit(before)


def _fault(error: str, where: str) -> str:
    """Return why one record is unreadable; raise where the rest of the file is gone with it."""
    if "field limit" in error:
        raise DataError(
            f"{where}: a cell of more than {MAX_CELL:,} characters; "
            "is a quote opened there and never closed?"
        )
    if "unexpected end" in error:
        raise DataError(f"{where}: a quote is opened here and never closed")
    return "quotes are broken"


def _row(
    span: tuple[int, int],
    cells: list[str] | str,
    columns: Columns,
    places: Sequence[int],
    width: int,
) -> Raw:
    first, last = span
    # An open quote swallows lines: all of them are counted, not one row.
    if isinstance(cells, str):
        return Unreadable(line=first, reason=cells, lines=last - first + 1)
    if len(cells) != width:
        what = "more" if len(cells) > width else "fewer"
        reason = f"{what} cells than the header"
        return Unreadable(line=first, reason=reason, lines=last - first + 1)
    said = {column: cells[place] for column, place in zip(columns.named, places, strict=True)}
    return Cells(
        line=first,
        text=said[columns.text],
        label=said[columns.label],
        group=said[columns.group] if columns.group else None,
        time=said[columns.time] if columns.time else None,
    )
