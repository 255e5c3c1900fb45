"""Hashes of files and folders; every process hashes what it uses at least once."""

from __future__ import annotations

import hashlib
import os
import time
from functools import lru_cache
from pathlib import Path

import msgspec

from steelyard.errors import PrepareError

MANIFEST = "manifest.json"

_BUFFER_BYTES = 1 << 20
# Two writes within one tick of a file system's clock leave the same time stamps, so a file that was
# touched only now is hashed again. Kernels tick every 1 to 10 ms.
_SETTLED_NS = 100_000_000


class ManifestLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of a folder; `name` is relative, with slashes."""

    name: str
    sha256: str
    size_bytes: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a finished folder holds, sorted by name."""

    schema: int = 1
    files: tuple[ManifestLine, ...]


def file_sha256(path: Path) -> str:
    """Hash a file, once a process as long as nobody touches it."""
    status = path.stat()
    identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    if time.time_ns() - status.st_ctime_ns < _SETTLED_NS:
        return _read_sha256(path)
    return _remembered_sha256(path, identity, status.st_ctime_ns)


@lru_cache(maxsize=4096)
def _remembered_sha256(path: Path, identity: tuple[int, ...], changed_ns: int) -> str:  # noqa: ARG001
    return _read_sha256(path)


def _read_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    with path.open("rb", buffering=0) as stream:
        while size := stream.readinto(buffer):
            digest.update(buffer[:size])
    return digest.hexdigest()


def manifest(folder: Path) -> Manifest:
    """Hash every file below a folder except its own manifest; refuse links."""
    lines = [
        ManifestLine(
            name=path.relative_to(folder).as_posix(),
            sha256=file_sha256(path),
            size_bytes=path.stat().st_size,
        )
        for path in files_below(folder)
        if path != folder / MANIFEST
    ]
    return Manifest(files=tuple(sorted(lines, key=lambda line: line.name)))


def files_below(folder: Path) -> list[Path]:
    """List the files below a folder; refuse links and devices, which a hash cannot pin."""
    found: list[Path] = []
    for base, folders, names in os.walk(folder):
        for path in (Path(base, name) for name in (*folders, *names)):
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                message = f"{path}: is neither a file nor a folder; a link cannot be pinned"
                raise PrepareError(message)
        found.extend(Path(base, name) for name in names)
    return found


def folder_sha256(path: Path) -> tuple[str, int]:
    """Return the sha256 over a folder's sorted manifest lines and its total bytes."""
    lines = manifest(path).files
    text = "".join(f"{line.sha256} {line.size_bytes} {line.name}\n" for line in lines)
    return hashlib.sha256(text.encode()).hexdigest(), sum(line.size_bytes for line in lines)
