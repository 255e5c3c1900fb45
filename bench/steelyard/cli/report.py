"""`steelyard report`: the table of runs, again and in other forms."""

from __future__ import annotations

from pathlib import Path

import click

from steelyard import catalog, store
from steelyard.cli.options import cards_option
from steelyard.cli.output import print_tables, run_tables
from steelyard.report import formats, markdown


@click.command(
    "report",
    epilog="Examples:  steelyard report   |   steelyard report results/2026-11-22 -f markdown   |"
    "   steelyard report -f csv -o table.csv",
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
    folders = runs or (store.latest_run(Path("results/local")),)
    if region is not None and form in {"csv", "json"}:
        raise click.UsageError("--region goes with the table and with --format markdown")
    if form == "table" and output is None:
        print_tables(folders, found, region)
        return
    writers = {"markdown": markdown.text, "csv": formats.csv_text, "json": formats.json_text}
    writer = writers.get(form)
    if writer is None:
        raise click.UsageError("--output goes with --format markdown, csv or json")
    text = writer(run_tables(folders, found, region))
    if output is None:
        click.echo(text, nl=False)
    else:
        store.write_atomically(output, text.encode())
