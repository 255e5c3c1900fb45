"""The files of a run: each decodes, in canonical form; none is missing, none is too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from steelyard import store
from steelyard.errors import PackingError, StoreError
from steelyard.record import SCHEMA, RunFile
from steelyard.record_file import decode_run, encode
from steelyard.report.verification import pins
from steelyard.report.verification.lines import Line, counted, note, ok, unchecked, wrong
from steelyard.report.verification.published import TABLES
from steelyard.stats import unpack

PREDICTIONS = "predictions"
_KNOWN = {store.JOURNAL, pins.SUMS, PREDICTIONS}


def run_files(folder: Path) -> tuple[list[Line], tuple[RunFile, ...]]:
    """Read the run files of a folder, or what is finished of a run without any."""
    paths = sorted(folder.glob("*.json"))
    if not paths:
        unfinished = [unchecked("run files: the run has not ended; its journal is checked")]
        return unfinished, store.read_runs(folder)
    lines: list[Line] = []
    runs: tuple[RunFile, ...] = ()
    for path in paths:
        try:
            data = path.read_bytes()
            run = decode_run(data, path.name)
        except StoreError as error:
            lines.append(wrong(str(error)))
        except OSError as error:
            lines.append(wrong(f"{path.name}: cannot be read: {error.strerror}"))
        else:
            lines += [*_contents(path.name, run), _form(path.name, data, run)]
            runs = (*runs, run)
    return lines, runs


def others(folder: Path, runs: Sequence[RunFile]) -> list[Line]:
    """Name what else lies in the folder: predictions that no record names, foreign files."""
    named = {record.predictions_sha256 for run in runs for record in run.records}
    known = _KNOWN | {path.name for path in folder.glob("*.json")}
    unnamed = [
        wrong(
            f"{PREDICTIONS}/{path.name}: no record names it: a record was taken out, or the file "
            "is left over from a cell that was stopped"
        )
        for path in sorted((folder / PREDICTIONS).glob("*"))
        if path.name.removesuffix(".jsonl.gz") not in named
    ]
    foreign = [
        unchecked(f"{path.name}: nothing that can be made again from records")
        for path in sorted(folder.iterdir())
        if path.name not in known and path.suffix not in TABLES
    ]
    return unnamed + foreign


def _contents(name: str, run: RunFile) -> list[Line]:
    cells = Counter(record.cell.id for record in run.records)
    lines = [wrong(f"{name}: {cell} stands in it twice") for cell, n in cells.items() if n > 1]
    astray = [r.cell.id for r in run.records if r.cell.device != run.device]
    if astray:
        lines.append(wrong(f"{name}: {astray[0]} is not of device {run.device}"))
    return lines


def _form(name: str, data: bytes, run: RunFile) -> Line:
    """Hold a file against what its content is written as."""
    held = f"{name}: {counted(len(run.records), 'record')}"
    if msgspec.json.decode(data, type=dict[str, Any])["schema"] != SCHEMA:
        return unchecked(f"{held}, readable; the form of its schema is not written any more")
    canonical = encode(run) + b"\n"
    if data == canonical:
        return ok(f"{held}, readable, byte for byte in canonical form")
    if _tight(data) and _respelt(data) == _respelt(canonical):
        return note(f"{held}, readable; samples were compressed by another zlib, and are the same")
    return wrong(f"{name}: readable, but not in canonical form: it was written by other hands")


def _tight(data: bytes) -> bool:
    """Tell whether a file is one line without spaces or repeated keys."""
    return msgspec.json.encode(msgspec.json.decode(data)) + b"\n" == data


def _respelt(data: bytes) -> bytes:
    """Return a file with its packed samples spelt out, all else in its order."""
    return msgspec.json.encode(_unpacked(msgspec.json.decode(data)))


def _unpacked(value: Any) -> Any:
    """Replace packed samples by their values."""
    if isinstance(value, dict):
        return {
            key: _samples(one) if key == "packed" else _unpacked(one) for key, one in value.items()
        }
    return [_unpacked(one) for one in value] if isinstance(value, list) else value


def _samples(packed: Any) -> Any:
    try:
        return list(unpack(packed))
    except (PackingError, TypeError):
        return packed
