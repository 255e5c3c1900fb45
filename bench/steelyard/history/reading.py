"""Run files -> the records of one cell, wherever they lie; other cells' records stay undecoded."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct, field

from steelyard import store
from steelyard.errors import HistoryError
from steelyard.history.types import Kept
from steelyard.record import Cell, Host, Record, RunFile
from steelyard.record_file import READ, decode_run

NAMED = 3


class Found(Struct, frozen=True, kw_only=True):
    """What was read: the cell's records, and how many files were no run's."""

    cell: str
    kept: tuple[Kept, ...]
    files: int
    others: int


class _Headed(Struct):
    """The beginning of a run file. What lacks these two is some other program's file."""

    schema: int | None = None
    run: str | None = None
    records: list[msgspec.Raw] | None = None
    host: msgspec.Raw = field(default_factory=msgspec.Raw)
    commit: str | None = None


class _Celled(Struct):
    cell: Cell


def read(sources: Sequence[Path], cell: str) -> Found:
    """Return the records of `cell` in run files, run folders, and folders of these.

    `cell` may leave its device out where only one has it. Raises StoreError for a file that is
    damaged or newer, HistoryError where there is no run, or none with that cell.
    """
    known: set[str] = set()
    kept: list[Kept] = []
    files = others = 0
    for path, named in _paths(sources):
        found = _file(path, cell, known, named=named)
        files, others = files + (found is not None), others + (found is None)
        kept += found or ()
    if not files:
        where = ", ".join(map(str, sources))
        raise HistoryError(f"{where}: no run files; a run writes them when it ends")
    name = _resolved(cell, known)
    return Found(
        cell=name,
        kept=tuple(one for one in kept if one.record.cell.id == name),
        files=files,
        others=others,
    )


def _paths(sources: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Yield the files to read, each once, and whether it was named; in no meaningful order."""
    seen: set[Path] = set()
    for source in sources:
        for path in _below(source) if source.is_dir() else (source,):
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield path, path == source


def _below(folder: Path) -> Iterator[Path]:
    """Yield run files at any depth, and journals of runs that did not end."""
    yield from sorted(path for path in folder.rglob("*.json") if _plain(path, folder))
    for journal in sorted(folder.rglob(store.JOURNAL)):
        if _plain(journal, folder) and not any(journal.parent.glob("*.json")):
            yield journal


def _plain(path: Path, folder: Path) -> bool:
    return not any(part.startswith(".") for part in path.relative_to(folder).parts)


def _file(path: Path, cell: str, known: set[str], *, named: bool) -> list[Kept] | None:
    """Return the cell's records of one file; None for a file beside runs that is none itself."""
    if path.name == store.JOURNAL:
        runs = store.Journal.read(path.parent).run_files()
        return [one for run in runs for one in _whole(run, cell, known)]
    try:
        data = path.read_bytes()
    except OSError as error:
        raise HistoryError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        head = msgspec.json.decode(data, type=_Headed)
    except msgspec.MsgspecError:
        return _whole(decode_run(data, str(path)), cell, known)
    if head.run is None and head.records is None and not named:
        return None
    if head.schema not in READ or head.run is None or head.records is None:
        return _whole(decode_run(data, str(path)), cell, known)
    try:
        return _partly(head, cell, known)
    except msgspec.MsgspecError:
        return _whole(decode_run(data, str(path)), cell, known)


def _whole(run: RunFile, cell: str, known: set[str]) -> list[Kept]:
    known |= {record.cell.id for record in run.records}
    return [
        Kept(
            run=run.run,
            host=run.host,
            record=record,
            commit=run.commit,
        )
        for record in run.records
        if _meant(record.cell.id, cell)
    ]


def _partly(head: _Headed, cell: str, known: set[str]) -> list[Kept]:
    """Decode the cell's records only: unpacking all samples of all cells takes long."""
    kept = []
    for raw in head.records or ():
        name = msgspec.json.decode(raw, type=_Celled).cell.id
        known.add(name)
        if _meant(name, cell):
            kept.append(
                Kept(
                    run=head.run or "",
                    host=msgspec.json.decode(head.host, type=Host),
                    record=msgspec.json.decode(raw, type=Record),
                    commit=head.commit,
                )
            )
    return kept


def _meant(name: str, cell: str) -> bool:
    return name == cell or name.rpartition("/")[0] == cell


def _resolved(cell: str, known: set[str]) -> str:
    """Return the one cell that is meant; raise HistoryError naming the nearest."""
    meant = sorted(name for name in known if _meant(name, cell))
    if cell in meant:
        return cell
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise HistoryError(f"{cell}: on several devices: {', '.join(meant)}; name one")
    near = difflib.get_close_matches(cell, sorted(known), n=NAMED, cutoff=0.5)
    told = ", ".join(near or sorted(known)[:NAMED]) or "none"
    what = "the nearest" if near else "these runs have"
    raise HistoryError(f"{cell}: no run has this cell; was it renamed? {what}: {told}")
