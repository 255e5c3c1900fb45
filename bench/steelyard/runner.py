"""Run a plan: cell after cell, each journaled before the next one starts."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from msgspec import structs

from steelyard import __version__, host, plan, store
from steelyard.errors import StoreError
from steelyard.measure import Bench, measure_cell
from steelyard.plan import PlannedCell
from steelyard.record import SCHEMA, Record, TunedSetting
from steelyard.store import Journal, RunHeader

OnRecord = Callable[[Record], None]


def start(
    planned: tuple[PlannedCell, ...],
    suite: str,
    output: Path,
    tuned: tuple[TunedSetting, ...] = (),
) -> Journal:
    """Open a new run folder `output/<time>-<suite>`; `tuned` is what holds for all of the run."""
    now = datetime.now(timezone.utc)
    run = f"{now:%Y%m%dT%H%M%SZ}-{suite}"
    header = RunHeader(
        schema=SCHEMA,
        run=run,
        suite=suite,
        started=now.isoformat(timespec="seconds"),
        tool_version=__version__,
        plan_sha256=plan.fingerprint(planned),
        host=host.identify(),
        commit=_commit(),
        tuned=tuned,
    )
    return Journal.start(output / run, header)


def resume(
    planned: tuple[PlannedCell, ...],
    suite: str,
    output: Path,
    tuned: tuple[TunedSetting, ...] = (),
) -> Journal:
    """Continue the newest run of this suite.

    Raises StoreError if the plan has changed since, or what of the machine was tuned.
    """
    journal = Journal.resume(store.latest_run(output, suite))
    if journal.header.plan_sha256 != plan.fingerprint(planned):
        raise StoreError(
            f"{journal.folder}: was run from another plan (cards, suite or version differ); "
            "leave --resume out to start anew"
        )
    if journal.header.tuned != tuned:
        before, now = (_tuned_in_words(one) for one in (journal.header.tuned, tuned))
        raise StoreError(
            f"{journal.folder}: was started with {before}, and now there are {now}; tune as then, "
            "or leave --resume out to start anew"
        )
    return journal


def _tuned_in_words(settings: tuple[TunedSetting, ...]) -> str:
    return f"{len(settings)} tuned clock settings" if settings else "no tuned clock settings"


def run(
    planned: tuple[PlannedCell, ...], journal: Journal, bench: Bench, on_record: OnRecord
) -> Journal:
    """Run what is not finished yet and write the run files; return the journal with all records.

    An interrupt passes through: what is finished is on the disk, the cell in progress is not.
    """
    finished = journal.finished()
    bench.lookout.note_start()
    for cell in planned:
        if cell.cell.id in finished:
            continue
        record = keep_cell(cell, journal.folder, bench)
        journal = journal.append(record)
        on_record(record)
    journal.close()
    return journal


def keep_cell(planned: PlannedCell, folder: Path, bench: Bench) -> Record:
    """Measure a cell and keep its predictions in `folder`; return its record, naming them."""
    result = measure_cell(planned, bench)
    if not result.predictions:
        return result.record
    digest = store.write_predictions(folder, result.predictions)
    return structs.replace(result.record, predictions_sha256=digest)


def _commit() -> str | None:
    """Return the commit of the checkout this runs from; None in an installed package."""
    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / ".git").exists():
        return None
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        return subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=checkout,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    return None
