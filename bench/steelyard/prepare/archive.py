"""Take members out of archives, by content and not by name, and refuse what could do harm."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from steelyard.errors import SourceError
from steelyard.prepare.members import Member, members, reading

_BUFFER_BYTES = 1 << 20
_MOST_BYTES = 8 << 30
# No honest archive of text or weights comes near 200:1; deflate of zeros reaches 1000:1.
_MOST_RATIO = 200
_ALWAYS_ALLOWED_BYTES = 64 << 20
# One name as a file and as a folder, or longer than the file system takes.
_BAD_NAMES = {errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG}


def extract(archive: Path, patterns: Sequence[str], out: Path) -> list[Path]:
    """Write the files that match the patterns below `out`; on any refusal leave nothing behind.

    In a pattern `*`, `?` and `[...]` stay within one folder, `**` stands for any folders. Every
    pattern must match. A member that matches must be a plain file; folders follow from the files.
    """
    existed = out.is_dir()
    out.mkdir(parents=True, exist_ok=True)
    try:
        return _extract(archive, patterns, out)
    finally:
        if not existed and not any(out.iterdir()):
            out.rmdir()


def _extract(archive: Path, patterns: Sequence[str], out: Path) -> list[Path]:
    with tempfile.TemporaryDirectory(prefix=".extract-", dir=out) as temporary:
        names = _write_matching(archive, patterns, Path(temporary))
        for pattern in patterns:
            if not any(matches(name, pattern) for name in names):
                raise SourceError(f"{archive.name}: no member matches {pattern!r}")
        for child in sorted(Path(temporary).iterdir()):
            if (out / child.name).exists():
                raise SourceError(f"{archive.name}: {out / child.name} exists already")
            child.rename(out / child.name)
    return [out / name for name in sorted(names)]


def _write_matching(archive: Path, patterns: Sequence[str], folder: Path) -> list[str]:
    names: list[str] = []
    for found in _checked(archive):
        if found.kind == "folder" or not any(matches(found.name, each) for each in patterns):
            continue
        _require_file(archive, found)
        with _create(archive, folder / found.name) as sink:
            _copy(archive, found, sink, _limit(archive))
        names.append(found.name)
    return names


def _create(archive: Path, path: Path) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("xb")
    except OSError as error:
        if error.errno not in _BAD_NAMES:
            raise
        message = f"{archive.name}: {path.name} cannot be made: {error.strerror}"
        raise SourceError(message) from error


def member(archive: Path, name: str, out: Path) -> None:
    """Write one member to `out`, streamed; a partial `out` is removed."""
    try:
        with out.open("xb") as sink:
            copy_member(archive, name, sink)
    except BaseException:
        out.unlink(missing_ok=True)
        raise


def copy_member(archive: Path, name: str, sink: BinaryIO) -> None:
    """Copy the first member of that name to `sink` and read no further.

    The caller verifies the bytes, so later members of a large archive need not be looked at.
    """
    for found in members(archive):
        if found.name == name and found.kind != "folder":
            _require_file(archive, found)
            _copy(archive, found, sink, _limit(archive))
            return
    raise SourceError(f"{archive.name}: has no member {name!r}")


def matches(name: str, pattern: str) -> bool:
    """Tell whether a member's name matches a glob pattern, folder by folder."""
    return _matches(name.split("/"), pattern.split("/"))


def _matches(name: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not name
    if pattern[0] == "**":
        return any(_matches(name[skip:], pattern[1:]) for skip in range(len(name) + 1))
    return bool(name) and fnmatchcase(name[0], pattern[0]) and _matches(name[1:], pattern[1:])


def _checked(archive: Path) -> Iterator[Member]:
    """Walk an archive; refuse two files of one name and more bytes than it can honestly hold."""
    limit = _limit(archive)
    total = 0
    seen: set[str] = set()
    for found in members(archive):
        total += found.size_bytes
        if total > limit:
            raise _too_large(archive, limit)
        if found.kind != "folder" and found.name in seen:
            raise SourceError(f"{archive.name}: holds {found.name} twice")
        seen.add(found.name)
        yield found


def _require_file(archive: Path, found: Member) -> None:
    if found.kind != "file":
        raise SourceError(f"{archive.name}: {found.name} is a {found.kind}, not a plain file")


def _limit(archive: Path) -> int:
    return min(_MOST_BYTES, max(_ALWAYS_ALLOWED_BYTES, _MOST_RATIO * archive.stat().st_size))


def _copy(archive: Path, found: Member, sink: BinaryIO, limit: int) -> None:
    if found.size_bytes > limit:
        raise _too_large(archive, limit)
    copied = 0
    with reading(archive), found.open() as stream:
        while chunk := stream.read(_BUFFER_BYTES):
            copied += len(chunk)
            if copied > found.size_bytes:
                break
            sink.write(chunk)
    if copied != found.size_bytes:
        raise SourceError(f"{archive.name}: {found.name} is not as long as it says")


def _too_large(archive: Path, limit: int) -> SourceError:
    return SourceError(f"{archive.name}: unpacks to more than {limit:,} bytes; not unpacked")
