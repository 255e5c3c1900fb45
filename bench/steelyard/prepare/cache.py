"""The user's cache: verified files and finished folders, never anything half-done."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import platformdirs

from steelyard.card import File
from steelyard.errors import PrepareError, SourceError
from steelyard.prepare.hashing import (
    MANIFEST,
    Manifest,
    file_sha256,
    files_below,
    folder_sha256,
    manifest,
)
from steelyard.progress import Progress

__all__ = ["Cache", "difference", "folder_sha256"]

_FULL = {errno.ENOSPC, errno.EDQUOT}
_LOCKLESS = {errno.ENOLCK, errno.EOPNOTSUPP}


class Cache:
    """A folder of files by sha256, finished folders by kind and key, and temporary folders."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def default(cls) -> Cache:
        """Return the cache at `STEELYARD_CACHE`, else at the platform's place for caches."""
        named = os.environ.get("STEELYARD_CACHE")
        place = Path(named) if named else platformdirs.user_cache_path("steelyard")
        return cls(place.expanduser().absolute())

    def check(self) -> None:
        """Raise PrepareError where nothing can be read here and nothing be written.

        A cache that was filled elsewhere and is only to be read will do.
        """
        with _using(self.root):
            filled = self.root.is_dir() and any(self.root.iterdir())
        if not filled:
            with self.workspace():
                pass

    def file(self, file: File, progress: Progress | None = None) -> Path | None:
        """Return the file's verified content, or None; content that is wrong is removed."""
        with _using(self.root):
            return self._file(file, progress)

    def _file(self, file: File, progress: Progress | None) -> Path | None:
        folder = self.root / "files" / file.sha256
        if not folder.is_dir():
            return None
        # The sha256 is the identity: a file kept under another card's name serves as well.
        for path in sorted(folder.iterdir(), key=lambda path: path.name != file.name):
            wrong = difference(file, path)
            if wrong is None:
                return path
            if progress is not None:
                progress.say(f"{path}: {wrong}; removed from the cache")
            with suppress(OSError):  # a cache that cannot be written is reported by the next write
                path.unlink()
        return None

    def add_file(self, file: File, written: Path) -> Path:
        """Verify a file written in a `workspace` of this cache and move it to its place."""
        wrong = difference(file, written)
        if wrong is not None:
            written.unlink()
            raise SourceError(f"{file.name}: {wrong}")
        place = self.root / "files" / file.sha256 / file.name
        with _storing(self.root):
            _sync(written)
            place.parent.mkdir(parents=True, exist_ok=True)
            written.replace(place)
            _sync(place.parent)
        return place

    def entry(self, kind: str, key: str, progress: Progress | None = None) -> Path | None:
        """Return a finished folder whose files all match its manifest, or None."""
        folder = self.root / kind / key
        with _using(self.root):
            if not folder.is_dir():
                return None
        wrong = _damage(folder)
        if wrong is None:
            return folder
        if progress is not None:
            progress.say(f"{folder}: {wrong}; it counts as absent")
        return None

    @contextmanager
    def build(self, kind: str, key: str) -> Generator[Path]:
        """Lend an empty folder; on a clean exit finish it, on any other leave nothing behind.

        Processes that build the same key at once do not disturb each other: the first to finish
        wins. To build only once, hold `exclusive` around `entry` and `build`.
        """
        with self.workspace() as folder:
            yield folder
            if (folder / MANIFEST).exists():
                raise PrepareError(f"{kind}/{key}: {MANIFEST} is the cache's; use another name")
            _finish(folder)
            self._place(folder, kind, key)

    def _place(self, folder: Path, kind: str, key: str) -> None:
        place = self.root / kind / key
        place.parent.mkdir(parents=True, exist_ok=True)
        with _locked(self.root / "tmp" / ".lock"):
            if self.entry(kind, key) is not None:
                return
            if place.exists():
                place.rename(folder.with_name("damaged"))
            folder.rename(place)
            _sync(place.parent)

    @contextmanager
    def exclusive(self, kind: str, key: str) -> Generator[None]:
        """Let one process at a time make a key; the others wait and then find it in `entry`."""
        with _storing(self.root):
            path = self.root / "locks" / f"{kind}-{key}.lock"
            path.parent.mkdir(parents=True, exist_ok=True)
            with _locked(path):
                yield

    @contextmanager
    def workspace(self) -> Generator[Path]:
        """Lend a temporary folder in the cache; it goes afterwards, or with the next start."""
        with _storing(self.root):
            desk, lock = self._claim()
            try:
                yield desk / "work"
            finally:
                shutil.rmtree(desk, ignore_errors=True)
                os.close(lock)

    def _claim(self) -> tuple[Path, int]:
        place = self.root / "tmp"
        place.mkdir(parents=True, exist_ok=True)
        # Held while sweeping and claiming, so that nobody sweeps a folder not yet locked.
        with _locked(place / ".lock"):
            _sweep(place)
            desk = Path(tempfile.mkdtemp(dir=place))
            lock = os.open(desk / "lock", os.O_CREAT | os.O_RDWR)
            fcntl.flock(lock, fcntl.LOCK_EX)
            (desk / "work").mkdir()
        return desk, lock


def difference(file: File, path: Path) -> str | None:
    """Say how content differs from what the card pins, or return None."""
    if not path.is_file():
        return "is not a file"
    size = path.stat().st_size
    if file.size_bytes is not None and size != file.size_bytes:
        return f"has {size:,} bytes, the card pins {file.size_bytes:,}"
    found = file_sha256(path)
    return None if found == file.sha256 else f"sha256 is {found}, the card pins {file.sha256}"


def _damage(folder: Path) -> str | None:
    try:
        promised = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
        found = manifest(folder)
    except (OSError, msgspec.DecodeError, PrepareError) as error:
        return str(error)
    return None if found == promised else f"differs from its {MANIFEST}"


def _finish(folder: Path) -> None:
    lines = msgspec.json.format(msgspec.json.encode(manifest(folder)))
    (folder / MANIFEST).write_bytes(lines + b"\n")
    for path in files_below(folder):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(path: Path) -> Generator[None]:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sweep(place: Path) -> None:
    """Remove the temporary folders whose owner is gone: nobody holds their lock."""
    for desk in place.iterdir():
        if desk.is_dir():
            with suppress(OSError):
                _remove_unlocked(desk)


def _remove_unlocked(desk: Path) -> None:
    descriptor = os.open(desk / "lock", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(desk)
    finally:
        os.close(descriptor)


@contextmanager
def _storing(root: Path) -> Generator[None]:
    """Turn an error of the cache into one message; errors of who was lent a folder go on."""
    try:
        yield
    except OSError as error:
        if not _concerns(root, error):
            raise
        raise _unusable(root, error) from error


@contextmanager
def _using(root: Path) -> Generator[None]:
    """Turn every error of the cache's own steps into one message."""
    try:
        yield
    except OSError as error:
        raise _unusable(root, error) from error


def _unusable(root: Path, error: OSError) -> PrepareError:
    room = "free some room, or " if error.errno in _FULL else ""
    return PrepareError(
        f"{root}: the cache cannot be used: {error.strerror or error}\n"
        f"try: {room}set STEELYARD_CACHE to a folder that you can write"
    )


def _concerns(root: Path, error: OSError) -> bool:
    if error.errno in _FULL | _LOCKLESS:
        return True
    if not isinstance(error.filename, str):
        return False
    # Making the root itself can fail above it: at a read-only or foreign parent.
    above = root.is_relative_to(error.filename)
    # What is only not there may be what a builder looks for in the folder that it was lent.
    inside = Path(error.filename).is_relative_to(root) and error.errno != errno.ENOENT
    return above or inside
