"""Fetching: sources in order, every byte verified, nothing half done left behind."""

from __future__ import annotations

import hashlib
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from steelyard.card import (
    File,
    FileSource,
    GeneratorSource,
    HubSource,
    PackageSource,
    Part,
    Source,
)
from steelyard.errors import PrepareError, SourceError
from steelyard.prepare.cache import Cache
from steelyard.prepare.fetch import fetch
from steelyard.prepare.sources import generator, hub
from steelyard.prepare.sources.pip_settings import PipSettings
from steelyard.prepare.sources.pypi import fetch_archive
from steelyard.prepare.sources.transport import Advance, Transports
from steelyard.progress import Silent

HUB = HubSource(repo="someone/something", revision="0" * 40, path="data.txt")


class Talk(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


class Registry:
    """A package registry in memory; counts what is asked of it."""

    def __init__(self) -> None:
        self.archives: dict[str, bytes] = {}
        self.asked: list[str] = []

    def __call__(self, part: Part, folder: Path, advance: Advance) -> Path:
        self.asked.append(part.package)
        if part.package not in self.archives:
            raise SourceError("no such package")
        content = self.archives[part.package]
        path = folder / "download"
        path.write_bytes(content)
        advance(len(content))
        return path


class World:
    """A cache, a registry, a hub that is out of reach, and what was said."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cache = Cache(root / "cache")
        self.registry = Registry()
        self.talk = Talk()

    def unreachable(self, source: HubSource, folder: Path) -> Path:
        raise SourceError(f"{source.repo} cannot be reached")

    def fetch(self, *files: File, offline: bool = False) -> dict[str, Path]:
        transports = Transports(
            registries={"pypi-wheel": self.registry, "npm": self.registry},
            hub=self.unreachable,
            generator=generator.generate,
        )
        return fetch(
            files, self.root, self.cache, self.talk, offline=offline, transports=transports
        )

    def wheel(self, name: str, **members: bytes) -> Part:
        path = self.root / f"{name}.whl"
        with zipfile.ZipFile(path, "w") as packed:
            for member, content in members.items():
                packed.writestr(member, content)
        self.registry.archives[name] = path.read_bytes()
        return Part(package=name, version="1.0", sha256=sha256(path.read_bytes()), member="data")

    def left_behind(self) -> list[Path]:
        found = [path for path in self.cache.root.rglob("*") if path.is_file()]
        return [path for path in found if path.name != ".lock"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def card(content: bytes, *sources: Source, name: str = "data.txt") -> File:
    return File(name=name, sha256=sha256(content), licence="CC0-1.0", sources=sources)


def package(*parts: Part) -> PackageSource:
    return PackageSource(registry="pypi-wheel", parts=parts)


def make_hello(out: Path, *, times: int) -> None:
    """Stand for a generator of an installed package."""
    out.write_bytes(b"hello" * times)


def test_a_member_of_a_package_is_fetched_once_and_then_cached(world: World) -> None:
    file = card(b"content", package(world.wheel("carrier", data=b"content")))

    first = world.fetch(file)
    second = world.fetch(file)

    assert first["data.txt"].read_bytes() == b"content"
    assert second == first
    assert world.registry.asked == ["carrier"]
    assert world.talk.lines == ["data.txt: from pypi-wheel carrier 1.0"]
    assert world.left_behind() == [first["data.txt"]]


def test_parts_are_put_together_in_the_cards_order(world: World) -> None:
    letters = [b"%c" % letter for letter in b"abcdefghij"]
    parts = [world.wheel(f"part{i}", data=letter * 999) for i, letter in enumerate(letters)]
    whole = b"".join(letter * 999 for letter in letters)

    path = world.fetch(card(whole, package(*parts)))["data.txt"]

    assert path.read_bytes() == whole
    assert sorted(world.registry.asked) == [f"part{i}" for i in range(10)]
    assert world.talk.lines[-1].endswith("part0 1.0 and 9 more")


def test_a_part_without_member_is_the_archive_itself(world: World) -> None:
    part = world.wheel("carrier", data=b"content")
    part = Part(package=part.package, version=part.version, sha256=part.sha256)
    content = world.registry.archives["carrier"]

    assert world.fetch(card(content, package(part)))["data.txt"].read_bytes() == content


def test_an_archive_with_several_files_is_downloaded_once(world: World) -> None:
    part = world.wheel("carrier", data=b"one", more=b"two")
    other = Part(package=part.package, version="1.0", sha256=part.sha256, member="more")

    paths = world.fetch(
        card(b"one", package(part), name="one"), card(b"two", package(other), name="two")
    )

    assert [path.read_bytes() for path in paths.values()] == [b"one", b"two"]
    assert world.registry.asked == ["carrier"]


def test_sources_are_tried_in_order_until_one_works(world: World) -> None:
    file = card(b"content", HUB, package(world.wheel("carrier", data=b"content")))

    world.fetch(file)

    assert world.talk.lines == ["data.txt: from pypi-wheel carrier 1.0"]


def test_when_all_sources_fail_each_is_named_with_its_reason(world: World) -> None:
    missing = Part(package="missing", version="2.0", sha256="1" * 64, member="data")

    with pytest.raises(SourceError) as refusal:
        world.fetch(card(b"content", HUB, package(missing), FileSource(path="absent.txt")))

    text = str(refusal.value)
    assert "data.txt: no source gave it" in text
    assert "hub someone/something@00000000: someone/something cannot be reached" in text
    assert "pypi-wheel missing 2.0: missing 2.0: no such package" in text
    assert "file absent.txt: " in text
    assert "try: check the network" in text


def test_a_wrong_hash_leaves_nothing_behind(world: World) -> None:
    file = card(b"content", package(world.wheel("carrier", data=b"something else")))

    with pytest.raises(SourceError, match=f"sha256 is {sha256(b'something else')}, the card pins"):
        world.fetch(file)

    assert world.left_behind() == []


def test_a_wrong_archive_is_refused_and_the_next_source_tried(world: World) -> None:
    forged = world.wheel("forged", data=b"content")
    world.registry.archives["forged"] += b"more"
    good = world.wheel("good", data=b"content")

    world.fetch(card(b"content", package(forged), package(good)))

    assert world.talk.lines == ["data.txt: from pypi-wheel good 1.0"]


def test_a_missing_member_is_that_sources_reason(world: World) -> None:
    with pytest.raises(SourceError, match="has no member 'data'"):
        world.fetch(card(b"content", package(world.wheel("carrier", other=b"content"))))


def test_a_file_changed_in_the_cache_is_fetched_again(world: World) -> None:
    file = card(b"content", package(world.wheel("carrier", data=b"content")))
    world.fetch(file)["data.txt"].write_bytes(b"tampered with")

    assert world.fetch(file)["data.txt"].read_bytes() == b"content"
    assert world.registry.asked == ["carrier", "carrier"]


def test_a_local_file_is_used_in_place_and_nothing_is_said(world: World) -> None:
    (world.root / "mine.txt").write_bytes(b"content")

    paths = world.fetch(card(b"content", FileSource(path="mine.txt")), offline=True)

    assert paths == {"data.txt": world.root / "mine.txt"}
    assert world.talk.lines == []
    assert not world.cache.root.exists()


def test_a_local_file_with_a_wrong_hash_is_refused_and_kept(world: World) -> None:
    (world.root / "mine.txt").write_bytes(b"other")

    with pytest.raises(SourceError, match=r"file mine\.txt: sha256 is"):
        world.fetch(card(b"content", FileSource(path="mine.txt")))

    assert (world.root / "mine.txt").read_bytes() == b"other"


def test_a_folder_is_refused_as_a_file(world: World) -> None:
    (world.root / "folder").mkdir()

    with pytest.raises(SourceError, match="is a folder; name one file"):
        world.fetch(card(b"content", FileSource(path="folder")))


def test_a_generators_file_is_made_and_verified(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sample_package", sys.modules[__name__])
    source = GeneratorSource(function="sample_package:make_hello", options={"times": 2})

    paths = world.fetch(card(b"hellohello", source), offline=True)

    assert paths["data.txt"].read_bytes() == b"hellohello"
    assert world.talk.lines == ["data.txt: from generator sample_package:make_hello"]


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("no_such_package:make", "install the package that holds 'no_such_package'"),
        ("pathlib:no_such_function", "install the package that holds 'pathlib'"),
        ("math:sqrt", "TypeError"),
        ("builtins:dir", "wrote no file"),
    ],
)
def test_a_generator_that_fails_says_why(world: World, function: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        world.fetch(card(b"content", GeneratorSource(function=function)))


def test_offline_asks_no_registry_and_no_hub(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    file = card(b"content", HUB, package(world.wheel("carrier", data=b"content")))
    monkeypatch.setenv("STEELYARD_OFFLINE", "1")

    with pytest.raises(SourceError, match=r"(?s)not asked, offline.*fetch it once without"):
        world.fetch(file)

    assert world.registry.asked == []


def test_an_interrupt_stops_the_downloads_and_leaves_nothing_behind(world: World) -> None:
    parts = [world.wheel(f"part{i}", data=b"%d" % i) for i in range(8)]
    started, stopped = threading.Event(), threading.Event()

    def interrupted(part: Part, folder: Path, advance: Advance) -> Path:
        if part.package == "part0":
            started.wait()
            raise KeyboardInterrupt
        (folder / "half").write_bytes(b"half")
        started.set()
        try:
            while True:
                advance(1)
        finally:
            stopped.set()

    world.registry.__class__ = type(
        "Slow", (Registry,), {"__call__": lambda _, *a: interrupted(*a)}
    )

    with pytest.raises(KeyboardInterrupt):
        world.fetch(card(b"01234567", package(*parts)))

    assert stopped.is_set()
    assert world.left_behind() == []


def test_a_full_disk_ends_the_fetch_instead_of_trying_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    part = world.wheel("carrier", data=b"content")
    monkeypatch.setattr("steelyard.prepare.archive.copy_member", full)

    with pytest.raises(PrepareError, match=r"No space left on device\ntry: .*STEELYARD_CACHE"):
        world.fetch(card(b"content", package(part), HUB))


def test_fetching_what_is_cached_imports_no_client(world: World) -> None:
    loaded = {"unearth", "huggingface_hub"} & set(sys.modules)
    file = card(b"content", package(world.wheel("carrier", data=b"content")))

    world.fetch(file)
    world.fetch(file)

    assert {"unearth", "huggingface_hub"} & set(sys.modules) == loaded


def test_without_the_hubs_client_the_source_names_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)

    with pytest.raises(SourceError, match=r"pip install steelyard\[fetch\]"):
        hub.download(HUB, tmp_path)


def test_without_unearth_the_source_names_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "unearth", None)
    monkeypatch.setitem(sys.modules, "unearth.auth", None)
    part = Part(package="carrier", version="1.0", sha256="0" * 64)

    with pytest.raises(SourceError, match=r"pip install steelyard\[fetch\]"):
        fetch_archive(part, tmp_path, lambda _: None, PipSettings(), wheels=True)
