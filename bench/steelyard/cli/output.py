"""What goes to the standard output: tables of runs, and aligned columns."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import click
from msgspec import structs
from rich.console import Console

from steelyard import plugins, store
from steelyard.api import Answer, Label, Score, Scorer
from steelyard.catalog import Catalog
from steelyard.errors import StoreError
from steelyard.record import Prediction, Record
from steelyard.report import joules, table
from steelyard.report.rows import Load, Rescore, TaskTable, tables


def run_tables(
    folders: Sequence[Path], found: Catalog, region: str | None = None
) -> tuple[TaskTable, ...]:
    """Return the tables of the runs in `folders`, with their predictions where they are kept.

    `region` says whose electricity was used; raises UnknownNameError for one that is not known.
    """
    where = joules.place(region)
    runs = [run for folder in folders for run in store.read_runs(folder)]
    made = tables(runs, _loader(folders), _rescorer(found))
    return tuple(structs.replace(one, place=where) for one in made)


def print_tables(folders: Sequence[Path], found: Catalog, region: str | None = None) -> None:
    """Print the tables of the runs in `folders`."""
    table.show(run_tables(folders, found, region), Console(file=sys.stdout))


def print_columns(rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows as columns aligned with spaces."""
    if not rows:
        return
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


def _loader(folders: Sequence[Path]) -> Load:
    homes = [folder if folder.is_dir() else folder.parent for folder in folders]

    @cache
    def read(digest: str) -> tuple[Prediction, ...]:
        for home in homes:
            if (home / "predictions" / f"{digest}.jsonl.gz").exists():
                return store.read_predictions(home, digest)
        raise StoreError(f"{homes[0]}/predictions: {digest[:16]}... is missing")

    def load(record: Record) -> tuple[Prediction, ...] | None:
        return read(record.predictions_sha256) if record.predictions_sha256 else None

    return load


def _rescorer(found: Catalog) -> Rescore:
    """Return a function that scores a part of the predictions by the task's own scorer."""

    def rescore(record: Record, predictions: Sequence[Prediction]) -> Score | None:
        entry = found.tasks.get(record.cell.task)
        if entry is None or not predictions:
            return None
        scorer: Scorer = plugins.load("scorers", entry.card.scorer.name)
        labels: tuple[Label, ...] = entry.card.labels
        answers = [Answer(label=p.answer, scores=p.scores) for p in predictions]
        expected = [p.expected for p in predictions]
        scores = scorer.score(answers, expected, labels, entry.card.scorer.options)
        return next((score for score in scores if score.metric == record.metric), None)

    return rescore
