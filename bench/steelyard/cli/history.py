"""`steelyard history`: a cell over many runs, and where it changed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

import click
import msgspec

from steelyard import catalog, store
from steelyard.cli.cells import LOCAL
from steelyard.cli.options import cards_option
from steelyard.cli.output import say_written
from steelyard.errors import HistoryError, StoreError
from steelyard.history import html, markdown, reading, series, text
from steelyard.history.types import QUANTITIES, Address, History, Quantity
from steelyard.report.html import libraries


@click.command(
    "history",
    epilog="Examples:  steelyard history spam/minilm-head@int8/cpu-1t   |   "
    "steelyard history spam/minilm-head@int8 results/ --machine 'Raspberry Pi 5'   |   "
    "steelyard history spam/minilm-head@int8 results/ -f html -o history.html",
)
@click.argument("cell")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--machine", metavar="TEXT", help="The device class, where runs are of several.")
@click.option("--environment", metavar="KEY", help="Only runs of this environment, by its key.")
@click.option(
    "--quantity",
    "quantities",
    multiple=True,
    type=click.Choice(get_args(Quantity)),
    help="Which series; several: each of them.  [default: all that were measured]",
)
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["text", "markdown", "json", "html"]),
    default="text",
    show_default=True,
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write to a file instead.")
@cards_option
def command(
    cell: str,
    runs: tuple[Path, ...],
    machine: str | None,
    environment: str | None,
    quantities: tuple[Quantity, ...],
    form: str,
    output: Path | None,
    cards: tuple[Path, ...],
) -> None:
    """Show CELL over RUNS: run files, run folders, or folders of these (results/local).

    CELL reads task/model@variant/device; the device may be left out where there is one. Runs are
    ordered by when they were made, of one device class, wherever their files lie. Beside each
    change point stand the commits that it lies between, and what else was new there. No run with
    that cell, a damaged file or one of a newer steelyard ends with exit code 3.
    """
    if form == "html":
        libraries.require()
        if output is None and sys.stdout.isatty():
            raise click.UsageError("--format html goes with --output FILE, or into a pipe")
    found = reading.read(_sources(runs), cell)
    if found.others:
        click.echo(f"{found.others} other JSON files are no runs and were left out", err=True)
    address = Address(cell=found.cell, machine=machine, environment=environment)
    entry = catalog.load(cards).tasks.get(found.cell.partition("/")[0])
    card = entry.card if entry else None
    made = series.history(found.kept, address, quantities or QUANTITIES, card)
    _write(_shown(made, form), output)


def _sources(runs: tuple[Path, ...]) -> tuple[Path, ...]:
    if runs:
        return runs
    if not LOCAL.is_dir():
        raise HistoryError(f"{LOCAL}: no runs yet; name RUNS, or start one with: steelyard run")
    return (LOCAL,)


def _shown(made: History, form: str) -> str:
    match form:
        case "markdown":
            return markdown.document(made)
        case "html":
            return html.html(made)
        case "json":
            encoded = msgspec.json.encode(made, order="deterministic")
            return msgspec.json.format(encoded, indent=2).decode() + "\n"
        case _:
            return "\n".join(text.told(made)) + "\n"


def _write(said: str, output: Path | None) -> None:
    if output is None:
        click.echo(said, nl=False)
        return
    try:
        store.write_atomically(output, said.encode())
    except OSError as error:
        raise StoreError(f"{output}: cannot be written: {error.strerror or error}") from error
    say_written(output)
