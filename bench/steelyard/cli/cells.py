"""Find measured cells in run folders by how a user names them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from msgspec import Struct

from steelyard import store
from steelyard.errors import StoreError, UnknownNameError
from steelyard.record import Host, Prediction, Record

LOCAL = Path("results/local")


def newest_unless(runs: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the runs that were named, else the newest local one that has answers, and say which.

    Raises StoreError where there is none.
    """
    if runs:
        return runs
    newest, shown = store.latest_run(LOCAL), store.latest_answered(LOCAL)
    what = "newest run" if shown == newest else "newest run with answers"
    click.echo(f"{shown} ({what})", err=True)
    return (shown,)


class Kept(Struct, frozen=True, kw_only=True):
    """A record, the machine it is of, and the folder that holds its predictions."""

    record: Record
    host: Host
    home: Path

    @property
    def name(self) -> str:
        """Say which model in which variant."""
        return self.record.cell.name


def kept(folders: Sequence[Path], task: str) -> tuple[Kept, ...]:
    """Return the latest record of every cell of a task; raise UnknownNameError where none is."""
    everything = list(_read(folders))
    latest: dict[str, Kept] = {}
    for one in everything:
        known = latest.get(one.record.cell.id)
        if one.record.cell.task == task and (
            known is None or known.record.started <= one.record.started
        ):
            latest[one.record.cell.id] = one
    if not latest:
        had = sorted({one.record.cell.task for one in everything})
        raise UnknownNameError(f"no cell of task '{task}' in these runs; they have: {_list(had)}")
    return tuple(latest.values())


def pick(cells: Sequence[Kept], wanted: str) -> Kept:
    """Return the one cell that `MODEL@VARIANT` or `MODEL@VARIANT/DEVICE` names.

    Raises UnknownNameError where that is none or several.
    """
    name, _, device = wanted.partition("/")
    found = [one for one in cells if one.name == name]
    if device:
        found = [one for one in found if one.record.cell.device == device]
    if len(found) == 1:
        return found[0]
    known = sorted(f"{one.name}/{one.record.cell.device}" for one in found or cells)
    what = "several cells are" if found else "no cell is"
    raise UnknownNameError(f"{what} '{wanted}'; there are: {_list(known)}")


def predictions(one: Kept) -> tuple[Prediction, ...]:
    """Return a record's predictions; raise StoreError where it kept none."""
    digest = one.record.predictions_sha256
    if digest is None:
        reason = one.record.reason or "no reason was kept"
        raise StoreError(
            f"{one.record.cell.id}: no predictions ({one.record.outcome}: {reason}); run it again"
        )
    return store.read_predictions(one.home, digest)


def _read(folders: Sequence[Path]) -> Iterator[Kept]:
    for folder in folders:
        home = folder if folder.is_dir() else folder.parent
        for run in store.read_runs(folder):
            for record in run.records:
                yield Kept(record=record, host=run.host, home=home)


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
