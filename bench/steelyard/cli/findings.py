"""What the HTML report is made from: tables, verdicts, the ledger and costs of runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from steelyard import claims, cost, store
from steelyard.catalog import Catalog
from steelyard.claims import Known, Ledger
from steelyard.cli.output import run_curves, run_tables
from steelyard.cost import Prices
from steelyard.record import RunFile
from steelyard.report.html import costing
from steelyard.report.html.types import Findings
from steelyard.report.rows import TaskTable


def findings(folders: Sequence[Path], found: Catalog, region: str | None) -> Findings:
    """Return all that can be said of the runs in `folders`, by the shipped claims and prices."""
    runs = tuple(run for folder in folders for run in store.read_runs(folder))
    prices = cost.load_prices()
    tables = run_tables(folders, found, region)
    return Findings(
        tables=tables,
        runs=runs,
        ledger=_ledger(tables, runs, found, prices),
        costs=costing.reports(runs, prices),
        curves=run_curves(folders, found),
    )


def _ledger(
    tables: Sequence[TaskTable], runs: Sequence[RunFile], found: Catalog, prices: Prices
) -> Ledger:
    known = Known(
        tasks={name: entry.card for name, entry in found.tasks.items()},
        titles={name: entry.card.title for name, entry in found.models.items()},
        prices=prices,
    )
    return claims.ledger([table.verdict for table in tables if table.verdict], runs, known)
