"""`steelyard verdict`: is small enough? Each pair of a run, each task, and the rule."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from steelyard import catalog
from steelyard.cli.cells import newest_unless
from steelyard.cli.options import cards_option
from steelyard.cli.output import run_verdicts
from steelyard.report import markdown, paired_csv, pairs, table, verdicts
from steelyard.report.units import clean
from steelyard.verdict import TaskVerdict

NOTHING_TO_COMPARE = 3


@click.command(
    "verdict",
    epilog="Examples:  steelyard verdict   |   steelyard verdict results/default -k spam   |   "
    "steelyard verdict results/default -f json   |   steelyard verdict -f csv > pairs.csv",
)
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["table", "markdown", "csv", "json"]),
    default="table",
    show_default=True,
)
@click.option(
    "-k", "patterns", multiple=True, metavar="TEXT", help="Only tasks whose id contains TEXT."
)
@cards_option
def command(
    runs: tuple[Path, ...], form: str, patterns: tuple[str, ...], cards: tuple[Path, ...]
) -> int:
    """Set each specialist of RUNS against each generalist on the items that both answered.

    RUNS are run folders or files; without any, the newest local run. The answers are compared
    first, then time, memory and energy; the rule is printed with the result. Exit code 3: there
    is no such pair.
    """
    found = catalog.load(cards)
    made = run_verdicts(newest_unless(runs), found)
    chosen = [one for one in made if not patterns or any(text in one.task for text in patterns)]
    if not chosen:
        raise click.UsageError(f"no task of these runs has {' or '.join(patterns)} in its id")
    _print(chosen, form)
    if any(one.pairs for one in chosen):
        return 0
    click.echo("steelyard: these runs have no specialist beside a generalist", err=True)
    return NOTHING_TO_COMPARE


def _print(made: Sequence[TaskVerdict], form: str) -> None:
    if form == "json":
        click.echo(verdicts.json_text(made), nl=False)
        return
    if form == "csv":
        click.echo(paired_csv.csv_text(made), nl=False)
        return
    sheets, common_notes = pairs.sheets([one for one in made if one.pairs])
    others = [f"{clean(one.task)}: {verdicts.line(one)}" for one in made if not one.pairs]
    legend = (pairs.STANDINGS, pairs.SHOWS_FROM, pairs.RATIOS, *verdicts.legend())
    lines = (*others, *common_notes, *(legend if sheets else ()))
    if form == "markdown":
        common = "".join(f"- {markdown.escape(line)}\n" for line in lines)
        sections = [markdown.section(sheet) for sheet in sheets]
        click.echo("\n".join([*sections, f"For all of them:\n\n{common}"]), nl=False)
        return
    console = Console(file=sys.stdout)
    for sheet in sheets:
        table.show_sheet(sheet, console)
    table.show_lines(lines, console)
