"""Rows for other programs: CSV, one row a cell; JSON, with all that a row knows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from steelyard import record_figures
from steelyard.api import Score
from steelyard.energy import Absent
from steelyard.report import fits, joules
from steelyard.report.joules import Bill, Carbon, Money, Share
from steelyard.report.paired import Answers
from steelyard.report.rows import Machine, Percentile, Row, TaskTable
from steelyard.stats import Quantile, TooFew
from steelyard.verdict import TaskVerdict

SCHEMA = 1

Value = str | int | float | None


class ReportedTask(Struct, frozen=True, kw_only=True):
    """A task in the JSON report."""

    task: str
    machines: tuple[Machine, ...]
    rows: tuple[Row, ...]
    verdict: TaskVerdict | None = None


class Report(Struct, frozen=True, kw_only=True):
    """The JSON report."""

    schema: int
    tasks: tuple[ReportedTask, ...]


def json_text(tables: Iterable[TaskTable]) -> str:
    """Return all tables as JSON, in the units that the names say."""
    tasks = tuple(
        ReportedTask(
            task=table.task, machines=table.machines, rows=table.rows, verdict=table.verdict
        )
        for table in tables
    )
    encoded = msgspec.json.encode(Report(schema=SCHEMA, tasks=tasks), order="deterministic")
    return msgspec.json.format(encoded, indent=2).decode() + "\n"


def csv_text(tables: Iterable[TaskTable]) -> str:
    """Return all rows as one CSV.

    A row is of one cell: the last columns repeat its task's verdict, and pairs of cells have a CSV
    of their own (`steelyard verdict -f csv`).
    """
    return csv_of([{**flat(row), **_verdict(table)} for table in tables for row in table.rows])


def csv_of(rows: Sequence[Mapping[str, Value]]) -> str:
    """Return rows of the same columns as CSV; a spreadsheet reads no cell of it as a formula."""
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: harmless(value) for key, value in row.items()} for row in rows)
    return out.getvalue()


def flat(row: Row) -> dict[str, Value]:
    """Return a row as named columns; the border to formats that know no types."""
    return {
        "task": row.cell.task,
        "model": row.cell.model,
        "variant": row.cell.variant,
        "device": row.cell.device,
        "role": row.role,
        "precision": row.precision,
        "backend": row.backend,
        "threads": row.threads,
        "outcome": row.outcome,
        "reason": row.reason,
        "parameters": row.parameters,
        "size_bytes": row.size_bytes,
        "labelled_items": row.labelled_items,
        "metric": row.metric,
        **_score("score", row.score),
        **_score("same_items_score", row.same_items),
        **_percentile("p50", row.p50_ns),
        **_percentile("p99", row.p99_ns),
        **_percentile("infer_p50", row.infer_p50_ns),
        "memory_peak_bytes": row.memory_peak_bytes,
        "fits_in": fits.text(row.fits_in) if row.fits_in else None,
        **_energy(row),
        "load_time_ns": row.load_time_ns,
        "parent": row.beside_parent.parent if row.beside_parent else None,
        **_answers(row.beside_parent.answers if row.beside_parent else None),
        "speed_over_parent": row.beside_parent.speed if row.beside_parent else None,
        "memory_over_parent": row.beside_parent.memory if row.beside_parent else None,
        "size_over_parent": row.beside_parent.size if row.beside_parent else None,
        "warnings": "; ".join(
            (*row.warnings, *(row.beside_parent.warnings if row.beside_parent else ()))
        ),
        "artifact_sha256": row.artifact_sha256,
        "run": row.run,
        "started": row.started,
    }


def _verdict(table: TaskTable) -> dict[str, Value]:
    """Return the task's verdict; `verdict_missing` says why there is none."""
    found = table.verdict
    return {
        "verdict": found.outcome if found else None,
        "verdict_by": found.by.id if found and found.by else None,
        "verdict_reason": found.reason if found else None,
        "verdict_missing": None if found else "no specialist stands beside a generalist",
    }


def _score(name: str, score: Score | None) -> dict[str, Value]:
    return {
        name: score.value if score else None,
        f"{name}_low": score.low if score else None,
        f"{name}_high": score.high if score else None,
        f"{name}_n": score.n if score else None,
    }


def _percentile(name: str, percentile: Percentile | None) -> dict[str, Value]:
    seen = percentile if isinstance(percentile, Quantile) else None
    return {
        f"{name}_ns": seen.value if seen else None,
        f"{name}_low_ns": seen.low if seen else None,
        f"{name}_high_ns": seen.high if seen else None,
        f"{name}_n": percentile.n if percentile else None,
        f"{name}_missing": percentile.reason if isinstance(percentile, TooFew) else None,
    }


def _energy(row: Row) -> dict[str, Value]:
    reading = joules.best(row.energy)
    why = [*(one.absent for one in row.energy if one.absent), *row.no_energy]
    return {
        "energy_gross_j": reading.gross_j if reading else None,
        "energy_gross_u_j": reading.gross_u_j if reading else None,
        "energy_net_j": reading.net_j if reading else None,
        "energy_meter": reading.meter if reading else None,
        "energy_tier": joules.TIERS[record_figures.tier(reading)] if reading else None,
        "energy_missing": None if reading else "; ".join(why) or "not measured",
        **_bill(row.bill),
    }


def _bill(bill: Bill | None) -> dict[str, Value]:
    """Return what a call comes to; money is in the row's `cost_currency`."""
    right = bill.correct if bill else None
    share = right if isinstance(right, Share) else None
    both = bill.with_gpu if bill else None
    return {
        "energy_per_correct_j": share.joules if share else None,
        "energy_per_correct_u_j": share.expanded_j if share else None,
        "energy_per_correct_missing": right.reason if isinstance(right, Absent) else None,
        "energy_with_gpu_j": both.joules if both else None,
        "energy_with_gpu_u_j": both.expanded_j if both else None,
        **_carbon(bill.carbon if bill else None),
        **_money(bill.money if bill else None),
    }


def _carbon(carbon: Carbon | Absent | None) -> dict[str, Value]:
    known = carbon if isinstance(carbon, Carbon) else None
    return {
        "carbon_kg": known.call_kg if known else None,
        "carbon_per_correct_kg": known.correct_kg if known else None,
        "carbon_region": known.region if known else None,
        "carbon_year": known.year if known else None,
        "carbon_missing": carbon.reason if isinstance(carbon, Absent) else None,
    }


def _money(money: Money | Absent | None) -> dict[str, Value]:
    known = money if isinstance(money, Money) else None
    missing = money.reason if isinstance(money, Absent) else None
    return {
        "cost_electricity": known.electricity if known else None,
        "cost_device": known.device if known else None,
        "cost": known.call if known else None,
        "cost_per_correct": known.correct if known else None,
        "cost_currency": known.currency if known else None,
        "cost_tariff": known.tariff if known else None,
        "cost_missing": known.no_total if known else missing,
    }


def _answers(answers: Answers | None) -> dict[str, Value]:
    return {
        "accuracy_over_parent": answers.difference.estimate if answers else None,
        "accuracy_over_parent_low": answers.difference.low if answers else None,
        "accuracy_over_parent_high": answers.difference.high if answers else None,
        "labels_flipped": answers.flips if answers else None,
    }


def harmless(value: Value) -> Value:
    """Put an apostrophe before text that a spreadsheet would calculate (OWASP, CSV injection)."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        return f"'{value}"
    return value
