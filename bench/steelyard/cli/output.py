"""What goes to the standard output: tables of runs, and aligned columns."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import click
from msgspec import structs
from rich.console import Console

from steelyard import learning, plugins, store, verdict
from steelyard.api import Answer, Score, Scorer, WeighingScorer
from steelyard.card import TaskCard
from steelyard.catalog import Catalog
from steelyard.errors import StoreError
from steelyard.learning import TaskCurves
from steelyard.record import Prediction, Record
from steelyard.report import curves, joules, table, units
from steelyard.report.rows import Rescore, TaskTable, billed, tables
from steelyard.stats import Metric
from steelyard.verdict import Means, TaskVerdict
from steelyard.verdict.answers import Reweigh
from steelyard.verdict.matching import Load


def run_tables(
    folders: Sequence[Path], found: Catalog, region: str | None = None
) -> tuple[TaskTable, ...]:
    """Return the tables of the runs in `folders`, with their predictions where they are kept.

    `region` says whose electricity was used; raises UnknownNameError for one that is not known.
    """
    where = joules.place(region)
    runs = [run for folder in folders for run in store.read_runs(folder)]
    made = tables(runs, _loader(folders), _rescorer(found), _cards(found))
    judged = {one.task: one for one in run_verdicts(folders, found) if one.pairs}
    return tuple(structs.replace(billed(one, where), verdict=judged.get(one.task)) for one in made)


def run_verdicts(folders: Sequence[Path], found: Catalog) -> tuple[TaskVerdict, ...]:
    """Return the verdicts of the runs in `folders`, by the cards at hand."""
    runs = [run for folder in folders for run in store.read_runs(folder)]
    return verdict.judge(runs, _loader(folders), _cards(found), Means(reweigh=_reweigher(found)))


def run_curves(folders: Sequence[Path], found: Catalog) -> tuple[TaskCurves, ...]:
    """Return the learning curves of the runs in `folders`, by the cards at hand."""
    runs = [run for folder in folders for run in store.read_runs(folder)]
    return learning.curves(runs, _loader(folders), _cards(found), _reweigher(found))


def print_tables(folders: Sequence[Path], found: Catalog, region: str | None = None) -> None:
    """Print the tables of the runs in `folders`, and their learning curves where they have any."""
    console = Console(file=sys.stdout)
    drawn = run_curves(folders, found)
    tables = run_tables(folders, found, region)
    if tables or not drawn:
        table.show(tables, console)
    for one in drawn:
        table.show_sheet(curves.sheet(one), console)
    table.show_lines(curves.legend() if drawn else (), console)


def print_columns(rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows as columns aligned with spaces."""
    if not rows:
        return
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


def say_written(path: Path) -> None:
    """Say on the standard error which file was written, and how large it is."""
    click.echo(f"written: {path} ({units.size(path.stat().st_size)})", err=True)


def _cards(found: Catalog) -> dict[str, TaskCard]:
    return {name: entry.card for name, entry in found.tasks.items()}


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
        answers, expected = _answers(predictions)
        scores = scorer.score(answers, expected, entry.card.labels, entry.card.scorer.options)
        return next((score for score in scores if score.metric == record.metric), None)

    return rescore


def _reweigher(found: Catalog) -> Reweigh:
    """Return a function that lets the task's own scorer score draws of the predictions."""

    def reweigh(record: Record, predictions: Sequence[Prediction]) -> Metric | None:
        entry = found.tasks.get(record.cell.task)
        if entry is None or entry.card.metric != record.metric or not predictions:
            return None
        scorer: Scorer = plugins.load("scorers", entry.card.scorer.name)
        if not isinstance(scorer, WeighingScorer):
            return None
        answers, expected = _answers(predictions)
        return scorer.weighted(answers, expected, entry.card.labels, entry.card.scorer.options)

    return reweigh


def _answers(predictions: Sequence[Prediction]) -> tuple[list[Answer], list[str]]:
    answers = [Answer(label=p.answer, scores=p.scores) for p in predictions]
    return answers, [p.expected for p in predictions]
