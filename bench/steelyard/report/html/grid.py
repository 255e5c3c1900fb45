"""A task's table with the value that each cell is sorted by."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from steelyard.report import joules
from steelyard.report.html.view import Entry, Grid, Heading, Line
from steelyard.report.notes import SAME_ITEMS
from steelyard.report.rows import Percentile, Row, TaskTable
from steelyard.report.sheet import lay_out
from steelyard.stats import Quantile

Number = int | float | None
_TIMED = re.compile(r"(\S+) (\[\S+\]) (\S+)")


def grid(table: TaskTable) -> Grid:
    """Return a task's table, its rows in their own order."""
    sheet = lay_out(table, wide=True)
    headings = (
        Heading(title="role", figures=False),
        *(Heading(title=column.title, figures=column.figures) for column in sheet.columns),
    )
    lines = [
        Line(
            key=row.cell.id,
            role=line.role,
            entries=tuple(
                _entry(heading, text, row)
                for heading, text in zip(headings, (line.role, *line.cells), strict=True)
            ),
        )
        for line, row in zip(sheet.lines, table.rows, strict=True)
    ]
    return Grid(
        caption=f"{sheet.title}: what was measured of each model",
        headings=headings,
        lines=tuple(lines),
        roles=tuple(dict.fromkeys(line.role for line in lines)),
    )


def _entry(heading: Heading, text: str, row: Row) -> Entry:
    key = _KEYS.get(heading.title, _score if heading.title in {row.metric, "score"} else None)
    number = key(row) if key else None
    value = "" if number is None else repr(number)
    return Entry(
        title=heading.title,
        lines=_broken(text),
        value=value if key else text,
        figures=heading.figures,
    )


def _broken(text: str) -> tuple[str, ...]:
    """Return a cell's lines: an interval stands below its value, so that columns stay narrow."""
    timed = _TIMED.fullmatch(text)
    return (f"{timed[1]} {timed[3]}", timed[2]) if timed else tuple(text.split("\n"))


def _score(row: Row) -> Number:
    return row.score.value if row.score else None


def _percentile(found: Percentile | None, row: Row) -> Number:
    return found.value if isinstance(found, Quantile) and row.timed_validly else None


def _energy(row: Row) -> Number:
    reading = joules.best(row.energy)
    return reading.gross_j if reading else None


def _budget(row: Row) -> Number:
    return row.fits_in.budget if row.fits_in else None


_KEYS: dict[str, Callable[[Row], Any]] = {
    "params": lambda row: row.parameters,
    "size": lambda row: row.size_bytes,
    SAME_ITEMS: lambda row: row.same_items.value if row.same_items else None,
    "p50": lambda row: _percentile(row.p50_ns, row),
    "p99": lambda row: _percentile(row.p99_ns, row),
    "memory": lambda row: row.memory_peak_bytes,
    "fits in": _budget,
    "energy": _energy,
    "labels": lambda row: row.labelled_items,
}
