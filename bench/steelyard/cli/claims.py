"""`steelyard claims`: which claims hold on what was measured, and what was not tested."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
from rich.console import Console

from steelyard import catalog, claims, cost, store
from steelyard.catalog import Catalog
from steelyard.claims import Ledger
from steelyard.cli.cells import newest_unless
from steelyard.cli.options import cards_option
from steelyard.cli.output import run_verdicts
from steelyard.cost import Prices
from steelyard.report import ledger

FORMATS = ["table", "markdown", "json"]


@click.command(
    "claims",
    epilog="Examples:  steelyard claims   |   steelyard claims results/default --evidence   |   "
    "steelyard claims results/default --claims my-claims.toml",
)
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--format", "-f", "form", type=click.Choice(FORMATS), default="table", show_default=True
)
@click.option(
    "--claims",
    "claims_file",
    type=click.Path(path_type=Path),
    help="Your claims instead of the shipped ones.",
)
@click.option(
    "--prices",
    "prices_file",
    type=click.Path(path_type=Path),
    help="Your prices instead of the shipped ones.",
)
@click.option("--evidence", "-e", is_flag=True, help="Also each claim's rule, and task by task.")
@cards_option
def command(
    runs: tuple[Path, ...],
    form: str,
    claims_file: Path | None,
    prices_file: Path | None,
    evidence: bool,
    cards: tuple[Path, ...],
) -> None:
    """Judge the claims on RUNS: run folders or files; without any, the newest local run.

    Each claim is supported, refuted, undecided or not tested, by a rule that --evidence prints, and
    never beyond the models, tasks and machines of these runs. Markdown and JSON hold everything.
    """
    tried = claims.load(claims_file)
    prices = cost.load_prices(prices_file)
    found = catalog.load(cards)
    folders = newest_unless(runs)
    made = judged(folders, found, tried, prices)
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(made), indent=1).decode())
    elif form == "markdown":
        click.echo(ledger.text(made), nl=False)
    else:
        ledger.show(made, Console(file=sys.stdout), evidence=evidence)


def judged(
    folders: Sequence[Path],
    found: Catalog,
    tried: claims.ClaimsFile | None = None,
    prices: Prices | None = None,
) -> Ledger:
    """Return the ledger of the runs in `folders`; without prices, costs are not tested."""
    runs = [run for folder in folders for run in store.read_runs(folder)]
    known = claims.known(found, prices)
    return claims.ledger(run_verdicts(folders, found), runs, known, tried)
