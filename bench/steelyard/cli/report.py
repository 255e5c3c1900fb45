"""`steelyard report`: the table of runs, again and in other forms."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from steelyard import catalog, store
from steelyard.cli.cells import newest_unless
from steelyard.cli.findings import findings
from steelyard.cli.options import cards_option
from steelyard.cli.output import print_tables, run_tables, say_written
from steelyard.errors import StoreError
from steelyard.report import formats, markdown
from steelyard.report.html import libraries, page


@click.command(
    "report",
    epilog="Examples:  steelyard report   |   steelyard report results/2026-11-22 -f markdown   |"
    "   steelyard report -f csv -o table.csv   |   "
    "steelyard report results/default -f html -o report.html",
)
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["table", "markdown", "csv", "json", "html"]),
    default="table",
    show_default=True,
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write to a file instead.")
@click.option(
    "--region",
    metavar="CODE",
    help="Whose electricity: DEU, FRA, EU27, WORLD ...; without it no carbon and no cost.",
)
@cards_option
def command(
    runs: tuple[Path, ...],
    form: str,
    output: Path | None,
    region: str | None,
    cards: tuple[Path, ...],
) -> None:
    """Show the table of RUNS: run folders or files; without any, the newest local run."""
    found = catalog.load(cards)
    folders = newest_unless(runs)
    if form == "html":
        libraries.require()
        target = _named(output)
        _write(page.html(findings(folders, found, region)), target)
        return
    if form == "table" and output is None:
        print_tables(folders, found, region)
        return
    writers = {"markdown": markdown.text, "csv": formats.csv_text, "json": formats.json_text}
    writer = writers.get(form)
    if writer is None:
        raise click.UsageError("--output goes with --format markdown, csv, json or html")
    _write(writer(run_tables(folders, found, region)), output)


def _named(output: Path | None) -> Path | None:
    """Return the file for a page; raise UsageError rather than fill a terminal with it."""
    if output is None and _at_a_terminal():
        raise click.UsageError("--format html goes with --output FILE, or into a pipe")
    return output


def _at_a_terminal() -> bool:
    return sys.stdout.isatty()


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        store.write_atomically(output, text.encode())
    except OSError as error:
        raise StoreError(f"{output}: cannot be written: {error.strerror or error}") from error
    say_written(output)
