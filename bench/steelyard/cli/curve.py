"""`steelyard curve`: how many labelled examples until the small model keeps up."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from steelyard import catalog
from steelyard.cli.cells import newest_unless
from steelyard.cli.options import cards_option
from steelyard.cli.output import run_curves
from steelyard.errors import StoreError, UnknownNameError
from steelyard.learning import TaskCurves
from steelyard.report import curves, markdown, table


@click.command(
    "curve",
    epilog="Examples:  steelyard run learning-curves -k intent/   |   "
    "steelyard curve results/default results/local/RUN   |   "
    "steelyard curve results/default results/local/RUN --task intent -f markdown",
)
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--task", "-t", "tasks", multiple=True, metavar="ID", help="Only this task.")
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["table", "markdown", "json"]),
    default="table",
    show_default=True,
)
@cards_option
def command(
    runs: tuple[Path, ...], tasks: tuple[str, ...], form: str, cards: tuple[Path, ...]
) -> None:
    """Show the learning curves of RUNS: run folders or files; without any, the newest local run.

    Points come from suites whose entries name `labels`, such as the shipped learning-curves. They
    are set against the generalists of these runs, on the same items: give both runs.
    """
    folders = newest_unless(runs)
    made = run_curves(folders, catalog.load(cards))
    if not made:
        raise StoreError(
            "these runs have no learning curve\ntry: steelyard run learning-curves, or `labels = "
            "[8, 32]` in an entry of your suite"
        )
    _show(_chosen(made, tasks), form)


def _chosen(made: Sequence[TaskCurves], tasks: Sequence[str]) -> list[TaskCurves]:
    known = [one.task for one in made]
    for task in tasks:
        if task not in known:
            raise UnknownNameError(
                f"no learning curve of a task '{task}' in these runs; there are: {', '.join(known)}"
            )
    return [one for one in made if not tasks or one.task in tasks]


def _show(made: Sequence[TaskCurves], form: str) -> None:
    if form == "json":
        click.echo(curves.json_text(made), nl=False)
    elif form == "markdown":
        common = "".join(f"- {markdown.escape(line)}\n" for line in curves.legend())
        sections = [markdown.section(curves.sheet(one)) for one in made]
        click.echo("\n".join([*sections, f"For all of them:\n\n{common}"]), nl=False)
    else:
        console = Console(file=sys.stdout)
        for one in made:
            table.show_sheet(curves.sheet(one), console)
        table.show_lines(curves.legend(), console)
