r"""Keep what was measured: a journal a run, one line a finished cell; then one file a device.

A journal line is `sha256[:16] json\n`, fsynced before the next cell starts. A line torn by a kill
can only be the last one and is dropped; damage elsewhere is an error.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from steelyard.errors import StoreError
from steelyard.record import SCHEMA, Host, Prediction, Record, Recorded, RunFile, TunedSetting
from steelyard.record_file import READ, decode_run, encode

JOURNAL = "journal.jsonl"
# A cell's outcomes with answers: of `invalid` ones only the times cannot be used.
_ANSWERED = {"ok", "invalid"}
_R = TypeVar("_R", bound=Recorded)


class RunHeader(Recorded, frozen=True, kw_only=True):
    """The first line of a journal. `plan_sha256` says whether a resume continues the same plan."""

    schema: int
    run: str
    suite: str
    started: str
    tool_version: str
    plan_sha256: str
    host: Host
    commit: str | None = None
    tuned: tuple[TunedSetting, ...] = ()


class Journal:
    """A run under way, in its own folder."""

    def __init__(self, folder: Path, header: RunHeader, records: tuple[Record, ...]) -> None:
        self.folder = folder
        self.header = header
        self.records = records

    @classmethod
    def start(cls, folder: Path, header: RunHeader) -> Journal:
        """Create the folder and write the header; raise StoreError if a run is there already."""
        with _explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if (folder / JOURNAL).exists():
                raise StoreError(f"{folder}: holds a run already; use --resume or another folder")
            _append(folder / JOURNAL, header)
            _sync_folder(folder)
        return cls(folder, header, ())

    @classmethod
    def resume(cls, folder: Path) -> Journal:
        """Read a journal, drop a torn last line from the disk, and continue it."""
        path = folder / JOURNAL
        if not path.is_file():
            raise StoreError(f"{folder}: no {JOURNAL} to resume; leave --resume out to start anew")
        if cls.read(folder).header.schema != SCHEMA:
            raise StoreError(
                f"{folder}: was started by an older steelyard; leave --resume out to start anew"
            )
        with _explained(folder):
            _, good = _read_lines(path)
            if good < path.stat().st_size:
                os.truncate(path, good)
        return cls.read(folder)

    @classmethod
    def read(cls, folder: Path) -> Journal:
        """Read what is finished of a run, whether it goes on or not."""
        path = folder / JOURNAL
        lines, _ = _read_lines(path)
        header = _decode(lines[0], RunHeader, path) if lines else None
        if header is None:
            raise StoreError(f"{path}: no header; delete the folder and start anew")
        if header.schema not in READ:
            raise StoreError(
                f"{path}: schema {header.schema}, this steelyard reads {READ[0]} to {SCHEMA}; "
                "use the steelyard that wrote it, or a newer one"
            )
        return cls(folder, header, tuple(_decode(line, Record, path) for line in lines[1:]))

    def append(self, record: Record) -> Journal:
        """Write one finished cell to the disk; return the journal with it."""
        with _explained(self.folder):
            _append(self.folder / JOURNAL, record)
        return Journal(self.folder, self.header, (*self.records, record))

    def finished(self) -> frozenset[str]:
        """Return the ids of the cells that are done."""
        return frozenset(record.cell.id for record in self.records)

    def close(self) -> list[Path]:
        """Write one run file a device and return their paths."""
        with _explained(self.folder):
            for run in self.run_files():
                write_atomically(self.folder / f"{run.device}.json", encode(run) + b"\n")
        return [self.folder / f"{run.device}.json" for run in self.run_files()]

    def run_files(self) -> tuple[RunFile, ...]:
        """Return what the run files of the finished cells hold, by device."""
        devices = sorted({record.cell.device for record in self.records})
        return tuple(self._run_file(device) for device in devices)

    def _run_file(self, device: str) -> RunFile:
        head = self.header
        return RunFile(
            schema=SCHEMA,
            tool_version=head.tool_version,
            run=head.run,
            suite=head.suite,
            device=device,
            started=head.started,
            host=head.host,
            commit=head.commit,
            tuned=head.tuned,
            records=tuple(r for r in self.records if r.cell.device == device),
        )


def write_predictions(folder: Path, predictions: Sequence[Prediction]) -> str:
    """Keep predictions beside the run; return the sha256 of their JSON lines."""
    lines = b"".join(encode(prediction) + b"\n" for prediction in predictions)
    digest = hashlib.sha256(lines).hexdigest()
    with _explained(folder):
        target = folder / "predictions"
        target.mkdir(parents=True, exist_ok=True)
        write_atomically(target / f"{digest}.jsonl.gz", gzip.compress(lines, 9, mtime=0))
    return digest


def read_predictions(folder: Path, digest: str) -> tuple[Prediction, ...]:
    """Return kept predictions; raise StoreError if they are missing or not what was recorded."""
    path = folder / "predictions" / f"{digest}.jsonl.gz"
    try:
        lines = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise StoreError(f"{path}: predictions cannot be read: {error}") from error
    if hashlib.sha256(lines).hexdigest() != digest:
        raise StoreError(f"{path}: predictions are not those that were recorded")
    return tuple(msgspec.json.decode(line, type=Prediction) for line in lines.splitlines())


def read_runs(folder: Path) -> tuple[RunFile, ...]:
    """Return the run files of a folder, by device; of an unfinished run what is finished.

    Raises StoreError if there is neither.
    """
    paths = sorted(folder.glob("*.json")) if folder.is_dir() else [folder]
    if not paths and (folder / JOURNAL).is_file():
        return Journal.read(folder).run_files()
    if not paths or not paths[0].is_file():
        raise StoreError(f"{folder}: no run files; a run writes them when it ends")
    return tuple(decode_run(path.read_bytes(), str(path)) for path in paths)


def latest_run(results: Path, suite: str = "*") -> Path:
    """Return the newest run folder under `results`; raise StoreError if there is none."""
    folders = sorted(path.parent for path in results.glob(f"*-{suite}/{JOURNAL}"))
    if not folders:
        of = "" if suite == "*" else f" of suite {suite}"
        raise StoreError(f"{results}: no run{of} yet; start one with: steelyard run")
    return folders[-1]


def latest_answered(results: Path) -> Path:
    """Return the newest run folder that has a measured cell, else the newest that has a header.

    Raises StoreError if there is neither, or if a journal on the way is damaged.
    """
    started = [path for path in sorted(results.glob(f"*/{JOURNAL}")) if path.stat().st_size]
    for path in reversed(started):
        if any(record.outcome in _ANSWERED for record in Journal.read(path.parent).records):
            return path.parent
    return started[-1].parent if started else latest_run(results)


def write_atomically(path: Path, data: bytes) -> None:
    """Write under a temporary name, fsync, rename, fsync the folder."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    _sync_folder(path.parent)


def _append(path: Path, value: Recorded) -> None:
    body = encode(value)
    line = hashlib.sha256(body).hexdigest()[:16].encode() + b" " + body + b"\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        written = os.write(descriptor, line)
        while written < len(line):
            written += os.write(descriptor, line[written:])
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_lines(path: Path) -> tuple[list[bytes], int]:
    """Return the intact lines' JSON and the length in bytes up to which the file is intact."""
    data = path.read_bytes()
    bodies: list[bytes] = []
    good = 0
    while good < len(data):
        end = data.find(b"\n", good)
        line = data[good : end if end >= 0 else len(data)]
        intact = end >= 0 and line[:16] == hashlib.sha256(line[17:]).hexdigest()[:16].encode()
        if not intact:
            if data.find(b"\n", good) not in (-1, len(data) - 1):
                raise StoreError(f"{path}: line {len(bodies) + 1} is damaged; restore it or delete")
            return bodies, good
        bodies.append(line[17:])
        good = end + 1
    return bodies, good


def _decode(body: bytes, kind: type[_R], path: Path) -> _R:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise StoreError(f"{path}: not a journal of this version: {error}") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(folder: Path) -> Generator[None, None, None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot keep results: {error.strerror or error}; "
            "free space or choose another folder with --output"
        ) from error
