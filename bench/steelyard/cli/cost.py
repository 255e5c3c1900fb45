"""`steelyard cost`: what models cost, where the small one pays, and which figure decides it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from steelyard import cost, store
from steelyard.cli.cells import newest_unless
from steelyard.cost import CostReport, Demand, Found, Prices
from steelyard.errors import PricesError, StoreError, UnknownNameError
from steelyard.report import costs, table


@click.command(
    "cost",
    epilog="Examples:  steelyard cost --task spam --volume 5000/day --horizon 36   |   "
    "steelyard cost --write-prices prices.toml   |   "
    "steelyard cost results/default --prices prices.toml --deployment all -f markdown",
)
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--task", "-t", "tasks", multiple=True, metavar="ID", help="Only this task.")
@click.option("--volume", metavar="N/day", help="Calls a day: 5000/day.")
@click.option("--horizon", type=int, metavar="MONTHS", help="For how many months.")
@click.option(
    "--prices",
    "prices_file",
    type=click.Path(path_type=Path),
    help="Your prices instead of the shipped ones.",
)
@click.option(
    "--deployment",
    metavar="ID",
    help="Put every model there, or `all`; by default each where it costs least.",
)
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["table", "markdown", "json"]),
    default="table",
    show_default=True,
)
@click.option(
    "--write-prices",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the shipped prices to a new file, to be edited, and stop.",
)
def command(
    runs: tuple[Path, ...],
    tasks: tuple[str, ...],
    volume: str | None,
    horizon: int | None,
    prices_file: Path | None,
    deployment: str | None,
    form: str,
    write_prices: Path | None,
) -> None:
    """Show what the models of RUNS cost to own and to run: run folders or files.

    Without RUNS, the newest local run. Every price has its source and date, or is marked as
    assumed, in one file: see --write-prices.
    """
    if write_prices is not None:
        _write(write_prices)
        return
    prices = cost.load_prices(prices_file)
    demand = _demand(prices, volume, horizon)
    if deployment not in {None, "all"}:
        prices.deployment(str(deployment))
    folders = newest_unless(runs)
    reports = tuple(
        cost.report(found, prices, demand, deployment) for found in _by_task(folders, tasks)
    )
    _show(reports, form)
    if not any(row.total for report in reports for row in report.rows):
        raise StoreError("no record has a cost: the reasons stand in the table")


def _write(path: Path) -> None:
    """Write the shipped prices, comments and all; never over a file."""
    if path.exists():
        raise PricesError(f"{path}: is there already; choose another name")
    if not path.parent.is_dir():
        raise PricesError(f"{path.parent}: no such folder")
    try:
        store.write_atomically(path, cost.shipped_text().encode())
    except OSError as error:
        raise PricesError(f"{path}: cannot be written: {error}") from error
    click.echo(f"edit {path}, then: steelyard cost --prices {path}", err=True)


def _demand(prices: Prices, volume: str | None, horizon: int | None) -> Demand:
    usual = prices.demand
    asked = f"{usual.calls_a_day:.17g}/day" if volume is None else volume
    return cost.demand(asked, usual.months if horizon is None else horizon)


def _by_task(folders: Sequence[Path], tasks: Sequence[str]) -> list[list[Found]]:
    """Return the latest record of every cell, by task; raise UnknownNameError for no task."""
    by_task = costs.by_task([run for folder in folders for run in store.read_runs(folder)])
    for task in tasks:
        if task not in by_task:
            raise UnknownNameError(f"no task '{task}' in these runs; there are: {_names(by_task)}")
    return [found for task, found in by_task.items() if not tasks or task in tasks]


def _names(by_task: dict[str, list[Found]]) -> str:
    return ", ".join(sorted(by_task)) or "none"


def _show(reports: Sequence[CostReport], form: str) -> None:
    if form == "json":
        click.echo(costs.json_text(reports), nl=False)
    elif form == "markdown":
        click.echo(costs.markdown_text(reports), nl=False)
    else:
        console = Console(file=sys.stdout)
        for report in reports:
            table.show_sheet(costs.sheet(report), console)
        table.show_lines(costs.closing_lines(reports), console)
