"""Walk the members of tar, zip and Debian archives as one kind of value."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal, NamedTuple, cast

from steelyard.errors import SourceError

_BLOCK = 512
_BUFFER_BYTES = 1 << 20
_MOST_PADDING = 64 << 20
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError)


class Member(NamedTuple):
    """One member; `open` works only while the walk stands at it."""

    name: str
    kind: Literal["file", "folder", "link", "device"]
    size_bytes: int
    open: Callable[[], IO[bytes]]


def members(archive: Path) -> Iterator[Member]:
    """Walk an archive recognised by its first bytes; refuse names and devices that could do harm.

    Walked to its end, a truncated archive is refused too.
    """
    with reading(archive), archive.open("rb") as stream:
        for found in _walk(archive, stream):
            if found.kind == "device":
                raise SourceError(f"{archive.name}: {found.name} is a device")
            yield found


@contextmanager
def reading(archive: Path) -> Generator[None]:
    """Turn what the standard library's readers raise into one kind of refusal."""
    try:
        yield
    except _BROKEN as error:
        raise SourceError(f"{archive.name}: is damaged or truncated: {error}") from error
    except (NotImplementedError, ValueError) as error:
        raise SourceError(f"{archive.name}: cannot be read: {error}") from error
    except OSError as error:
        if error.errno is not None:
            raise
        # gzip and bz2 report bad data as an OSError without a number.
        raise SourceError(f"{archive.name}: is damaged or truncated: {error}") from error


def _walk(archive: Path, stream: IO[bytes]) -> Iterator[Member]:
    head = stream.read(_BLOCK)
    stream.seek(0)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_members(archive, stream)
    if head.startswith(b"!<arch>\n"):
        return _deb_members(archive, stream)
    return _tar_members(archive, stream)


def _safe_name(archive: Path, raw: str) -> str:
    """Return the name without `.` segments; refuse one that could leave the folder or mislead."""
    segments = [part for part in raw.split("/") if part not in ("", ".")]
    if raw.startswith("/") or ".." in segments:
        raise SourceError(f"{archive.name}: member {raw!r} points outside the folder")
    if "\\" in raw or not raw.isprintable():
        raise SourceError(f"{archive.name}: member {raw!r} has characters that no file should")
    return "/".join(segments)


def _zip_members(archive: Path, stream: IO[bytes]) -> Iterator[Member]:
    with zipfile.ZipFile(stream) as opened:
        for info in opened.infolist():
            if info.flag_bits & 1:
                raise SourceError(f"{archive.name}: {info.filename} is encrypted")
            # `filename` ends at a NUL; `orig_filename` is what the archive says.
            name = _safe_name(archive, info.orig_filename)
            yield Member(name, _zip_kind(info), info.file_size, _zip_opener(opened, info))


def _zip_opener(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: opened.open(info)


def _zip_kind(info: zipfile.ZipInfo) -> Literal["file", "folder", "link", "device"]:
    if info.is_dir():
        return "folder"
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "link"
    return "file" if stat.S_IFMT(mode) in (0, stat.S_IFREG) else "device"


def _tar_members(archive: Path, stream: IO[bytes]) -> Iterator[Member]:
    with (
        _decompressed(archive, stream) as plain,
        tarfile.open(fileobj=plain, mode="r:") as opened,
    ):
        for info in opened:
            name = _safe_name(archive, info.name)
            yield Member(name, _tar_kind(info), info.size, _tar_opener(opened, info))
        _require_end(archive, plain, opened.offset)


def _tar_opener(opened: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
    # Only called for plain files, for which extractfile never returns None.
    return lambda: cast("IO[bytes]", opened.extractfile(info))


def _tar_kind(info: tarfile.TarInfo) -> Literal["file", "folder", "link", "device"]:
    if info.isdir():
        return "folder"
    if info.issym() or info.islnk():
        return "link"
    return "file" if info.isreg() and not info.issparse() else "device"


def _require_end(archive: Path, plain: IO[bytes], offset: int) -> None:
    """Refuse a tar without its closing block: tarfile takes a cut header for the end.

    Reading on to the end makes the decompressor check its own trailer.
    """
    plain.seek(offset)
    if plain.read(_BLOCK) != bytes(_BLOCK):
        raise SourceError(f"{archive.name}: is damaged or truncated: no end of archive")
    for _ in range(_MOST_PADDING // _BUFFER_BYTES):
        if not plain.read(_BUFFER_BYTES):
            return
    raise SourceError(f"{archive.name}: goes on after its end")


@contextmanager
def _decompressed(archive: Path, stream: IO[bytes]) -> Generator[IO[bytes]]:
    head = stream.read(_BLOCK)
    stream.seek(0)
    opened = _decompressor(archive, head, stream)
    try:
        yield opened
    finally:
        opened.close()


def _decompressor(archive: Path, head: bytes, stream: IO[bytes]) -> IO[bytes]:
    if head.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=stream))
    if head.startswith(b"BZh"):
        return bz2.BZ2File(stream)
    if head.startswith(b"\xfd7zXZ\x00"):
        return lzma.LZMAFile(stream)
    if head[257:262] == b"ustar":
        return stream
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        raise SourceError(f"{archive.name}: is packed with zstd, which is not supported; use xz")
    raise SourceError(f"{archive.name}: is no archive of a known kind (tar, zip, deb)")


def _deb_members(archive: Path, stream: IO[bytes]) -> Iterator[Member]:
    """Walk the data part of a Debian package (deb(5): an ar archive of three members)."""
    offset = len(b"!<arch>\n")
    while True:
        stream.seek(offset)
        header = stream.read(60)
        if len(header) < 60 or header[58:] != b"`\n":
            raise SourceError(f"{archive.name}: is damaged or truncated: no data part")
        size = int(header[48:58])
        if header.startswith(b"data.tar"):
            data = io.BufferedReader(_Slice(stream, offset + 60, size))
            return _tar_members(archive, cast("IO[bytes]", data))
        offset += 60 + size + size % 2


class _Slice(io.RawIOBase):
    """A part of a file as a file of its own."""

    def __init__(self, stream: IO[bytes], start: int, size: int) -> None:
        self._stream, self._start, self._size, self._at = stream, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = base + offset
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        self._stream.seek(self._start + self._at)
        chunk = self._stream.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(chunk)] = chunk
        self._at += len(chunk)
        return len(chunk)
