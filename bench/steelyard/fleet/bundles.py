"""Bundles on a device, by their sha256: found, or taken in parts and verified before use."""

from __future__ import annotations

from pathlib import Path

from steelyard.errors import FleetError
from steelyard.prepare.hashing import file_sha256


class Shelf:
    """A folder of bundles; `also` is one where they may lie already, such as a memory stick."""

    def __init__(self, folder: Path, also: Path | None = None) -> None:
        self._folder = folder
        self._also = also

    def find(self, sha256: str, size_bytes: int) -> Path | int:
        """Return the verified bundle, or how many bytes of it are here already."""
        own = self._place(sha256)
        lying = own if own.is_file() else self._lying(sha256, size_bytes)
        if lying is not None:
            return lying
        partial = self._partial(sha256)
        begin = partial.stat().st_size if partial.is_file() else 0
        if begin < size_bytes:
            return begin
        if begin > size_bytes or file_sha256(partial) != sha256:
            partial.unlink()
            return 0
        partial.replace(own)
        return own

    def add(self, sha256: str, begin: int, data: bytes) -> int:
        """Write a part; return from where on the next one is needed."""
        partial = self._partial(sha256)
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("ab") as file:
                end = file.tell()
                # A part may come twice where its answer was lost on the way.
                if begin == end:
                    file.write(data)
                return file.tell()
        except OSError as error:
            raise FleetError(f"{partial}: the bundle cannot be kept: {error.strerror}") from error

    def forget(self, sha256: str) -> None:
        """Remove the bundle that came over the wire."""
        for path in (self._place(sha256), self._partial(sha256)):
            path.unlink(missing_ok=True)

    def _lying(self, sha256: str, size_bytes: int) -> Path | None:
        """Return the file of the other folder that is the bundle."""
        for path in sorted(self._also.glob("*.zip")) if self._also is not None else ():
            if path.stat().st_size == size_bytes and file_sha256(path) == sha256:
                return path
        return None

    def _place(self, sha256: str) -> Path:
        return self._folder / f"{_digest(sha256)}.zip"

    def _partial(self, sha256: str) -> Path:
        return self._folder / f"{_digest(sha256)}.part"


def _digest(sha256: str) -> str:
    """Return it if it is one: it becomes a file's name, and comes over the wire."""
    if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
        raise FleetError(f"{sha256[:80]!r} is no sha256")
    return sha256
