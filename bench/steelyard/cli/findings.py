"""What the HTML report is made from: tables, verdicts, the ledger and costs of runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from steelyard import claims, cost, store
from steelyard.catalog import Catalog
from steelyard.cli.output import run_curves, run_tables
from steelyard.report.html import costing
from steelyard.report.html.types import Findings


def findings(folders: Sequence[Path], found: Catalog, region: str | None) -> Findings:
    """Return all that can be said of the runs in `folders`, by the shipped claims and prices."""
    runs = tuple(run for folder in folders for run in store.read_runs(folder))
    prices = cost.load_prices()
    tables = run_tables(folders, found, region)
    verdicts = [table.verdict for table in tables if table.verdict]
    return Findings(
        tables=tables,
        runs=runs,
        ledger=claims.ledger(verdicts, runs, claims.known(found, prices)),
        costs=costing.reports(runs, prices),
        curves=run_curves(folders, found),
    )
