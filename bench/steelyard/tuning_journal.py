"""What tuning keeps on disk, so that a kill leaves nothing tuned: the originals, keyed by boot."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Generator
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec
from msgspec import Struct

from steelyard.errors import Refusal, StoreError

SCHEMA = 1
# The settings are the whole machine's, so the journal is too; and it must outlive a reboot.
FOLDER = "var/lib/steelyard"
JOURNAL = f"{FOLDER}/tuning.json"
LOCK = f"{FOLDER}/tuning.lock"
# Held as long as a run that has tuned for itself lasts.
RUN_LOCK = f"{FOLDER}/tuned-run.lock"


class Change(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kernel setting: its file below the root, what it held, what tuning writes.

    `wanted` is None where tuning writes nothing, but another change makes the kernel alter it.
    """

    path: str
    original: str
    wanted: str | None


class TuningJournal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings as they were before `boot` was tuned. `complete`: all changes were made.

    `for_run`: a run tuned for itself; once it has ended, however it ended, nothing may stay tuned.
    """

    schema: int
    boot: str
    changes: tuple[Change, ...]
    complete: bool
    for_run: bool = False


class Disk:
    """Writing below a root, each method one step that a kill can precede or follow."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def set(self, path: str, value: str) -> None:
        """Write a kernel setting that exists; raise OSError where the kernel refuses it."""
        descriptor = os.open(self.root / path, os.O_WRONLY | os.O_TRUNC)
        try:
            os.write(descriptor, value.encode())
        finally:
            os.close(descriptor)

    def make(self, folder: str) -> None:
        """Make a folder that others may read."""
        (self.root / folder).mkdir(mode=0o755, parents=True, exist_ok=True)

    def write(self, path: str, data: bytes) -> None:
        """Write a file and wait until the disk has it."""
        with (self.root / path).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def replace(self, old: str, new: str) -> None:
        """Rename `old` to `new` in one step, as rename(2) does."""
        (self.root / old).replace(self.root / new)

    def remove(self, path: str) -> None:
        """Remove a file."""
        (self.root / path).unlink()

    def sync(self, folder: str) -> None:
        """Wait until the disk has a folder's entries."""
        descriptor = os.open(self.root / folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def keep(disk: Disk, journal: TuningJournal) -> None:
    """Put the journal in place: whenever power or process ends, it is the old or the new one.

    Raises StoreError where the disk refuses it.
    """
    with _explained(disk):
        disk.write(f"{JOURNAL}.new", msgspec.json.encode(journal))
        disk.replace(f"{JOURNAL}.new", JOURNAL)
        disk.sync(FOLDER)


def drop(disk: Disk) -> None:
    """Remove the journal, as nothing is tuned any more; raise StoreError if the disk refuses."""
    with _explained(disk):
        disk.remove(JOURNAL)
        disk.sync(FOLDER)


def read(root: Path) -> TuningJournal | None:
    """Return the journal; None where nothing was tuned. Raises StoreError if it is damaged."""
    path = root / JOURNAL
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error
    try:
        journal = msgspec.json.decode(data, type=TuningJournal)
    except msgspec.MsgspecError as error:
        raise StoreError(
            f"{path}: not a tuning journal ({error}); reboot, which restores every setting, "
            "and delete it"
        ) from error
    if journal.schema != SCHEMA:
        raise StoreError(
            f"{path}: schema {journal.schema}, this steelyard reads {SCHEMA}; use the steelyard "
            "that wrote it"
        )
    return journal


def locked(disk: Disk) -> AbstractContextManager[None]:
    """Let one `tune` work at a time: a second would take tuned values for originals.

    Raises Refusal where the lock is held.
    """
    return _holding(disk, LOCK, "another 'steelyard tune' is at work on this machine; wait for it")


def running(disk: Disk) -> AbstractContextManager[None]:
    """Be the one run that has tuned this machine for itself; raise Refusal where there is one."""
    return _holding(disk, RUN_LOCK, "another 'steelyard run --tune' is under way; wait for it")


def run_is_on(root: Path) -> bool:
    """Tell whether the run that has tuned for itself still lasts."""
    try:
        file = (root / RUN_LOCK).open()
    except OSError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextlib.contextmanager
def _holding(disk: Disk, lock: str, refusal: str) -> Generator[None, None, None]:
    """Hold a lock, which the kernel frees when its holder is killed."""
    with _explained(disk):
        disk.make(FOLDER)
        disk.sync(str(Path(FOLDER).parent))
        file = (disk.root / lock).open("w")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal(refusal) from None
        yield


@contextlib.contextmanager
def _explained(disk: Disk) -> Generator[None, None, None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{disk.root / FOLDER}: {error.strerror or error}; tuning keeps the original values "
            "there, so make it writable"
        ) from error
