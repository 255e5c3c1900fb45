"""`steelyard query`: SQL over many runs."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import click

from steelyard.cli.cells import newest_unless
from steelyard.cli.output import print_columns
from steelyard.report.units import clean

# A table is laid out as a whole; more rows than people read go to CSV.
SHOWN = 1000


@click.command(
    "query",
    epilog="Examples:  steelyard query results/default results/parents   |   "
    'steelyard query "SELECT model, avg(score) FROM latest '
    'GROUP BY model" results/default   |   '
    'steelyard query "SELECT * FROM cells" cells.parquet -f csv',
)
@click.argument("sql", required=False)
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["table", "csv"]),
    default="table",
    show_default=True,
)
def command(sql: str | None, runs: tuple[Path, ...], form: str) -> None:
    """Ask SQL of RUNS: run folders, run files, or Parquet from `steelyard export`.

    Tables: `cells`, one row a record; `latest`, the latest record of each cell; `samples`, one row
    a raw sample. DESCRIBE cells names the columns. Without SQL: the latest records in short. Many
    thousand runs are quick as Parquet. The SQL (DuckDB's) reads and writes nothing but copies.
    """
    from steelyard.report import query

    if sql is not None and os.path.exists(sql):  # noqa: PTH110 - long SQL is no path, nor an error
        runs, sql = (Path(sql), *runs), None
    sources = newest_unless(runs)
    with query.queried(sources, sql or None) as answer:
        if form == "csv":
            _csv(answer.columns, answer.rows)
        else:
            _table(answer.columns, answer.rows)


def _csv(columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


def _table(columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    left = iter(rows)
    shown = [tuple(map(_cell, row)) for row in islice(left, SHOWN)]
    print_columns([tuple(map(clean, columns)), *shown])
    if next(left, None) is not None:
        click.echo(f"only the first {SHOWN:,} rows are shown; -f csv has all", err=True)


def _cell(value: Any) -> str:
    """Return a value to read; programs take the CSV, which has all digits."""
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else clean(str(value))
