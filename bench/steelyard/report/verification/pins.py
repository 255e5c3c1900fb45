"""What pins a run's files from beside them: the journal's line hashes, a SHA256SUMS."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from steelyard.errors import StoreError
from steelyard.prepare.hashing import file_sha256
from steelyard.record import Record, RunFile
from steelyard.report.verification.lines import Line, counted, ok, unchecked, wrong
from steelyard.store import JOURNAL, Journal

SUMS = "SHA256SUMS"
_SUM = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def pinned(folder: Path) -> bool:
    """Tell whether something beside the run files holds hashes of them."""
    return (folder / JOURNAL).is_file() or (folder / SUMS).is_file()


def journal(folder: Path, runs: Sequence[RunFile]) -> list[Line]:
    """Hold the records against those of the run's journal, each of which has its hash."""
    if not (folder / JOURNAL).is_file():
        return []
    try:
        kept = {r.cell.id: r for r in Journal.read(folder).records}
    except StoreError as error:
        return [wrong(str(error))]
    ours = {record.cell.id: record for run in runs for record in run.records}
    lines = [
        wrong(f"{cell}: differs from {JOURNAL} in {_difference(kept[cell], record)}")
        for cell, record in ours.items()
        if cell in kept and kept[cell] != record
    ]
    lines += [
        wrong(f"{cell}: in {JOURNAL}, not in a run file") for cell in kept if cell not in ours
    ]
    lines += [
        wrong(f"{cell}: in a run file, not in {JOURNAL}") for cell in ours if cell not in kept
    ]
    return lines or [ok(f"{JOURNAL}: its lines are intact and hold the same {len(kept)} records")]


def sums(folder: Path) -> list[Line]:
    """Check the files that a SHA256SUMS lists, as `sha256sum` writes and checks it."""
    path = folder / SUMS
    if not path.is_file():
        return []
    listed = [_SUM.fullmatch(line) for line in path.read_text(errors="replace").splitlines()]
    if not listed or not all(listed):
        return [wrong(f"{SUMS}: not what sha256sum writes")]
    found = {one[2]: _state(folder / one[2], one[1], folder) for one in listed if one}
    lines = [wrong(f"{name}: {state} ({SUMS})") for name, state in found.items() if state]
    unlisted = sorted(one.name for one in folder.glob("*.json") if one.name not in found)
    lines += [unchecked(f"{name}: {SUMS} does not list it") for name in unlisted]
    if all(state is None for state in found.values()):
        lines.append(ok(f"{SUMS}: {counted(len(found), 'file')} as listed"))
    return lines


def _state(path: Path, sha256: str, folder: Path) -> str | None:
    """Say what is wrong with a listed file, or return None."""
    if not path.resolve().is_relative_to(folder.resolve()):
        return "lies outside the run's folder and is not looked at"
    if not path.is_file():
        return "is listed and missing"
    return None if file_sha256(path) == sha256 else "is not the file that is listed"


def _difference(kept: Record, ours: Record) -> str:
    names = (name for name in ours.__struct_fields__ if getattr(kept, name) != getattr(ours, name))
    return ", ".join(names)
