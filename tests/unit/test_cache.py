from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from pathlib import Path

import pytest

from steelyard.card import File, FileSource
from steelyard.errors import PrepareError, SourceError
from steelyard.prepare import cache as cache_module
from steelyard.prepare.cache import Cache, folder_sha256
from steelyard.progress import Silent


class Talk(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


def card(content: bytes, name: str = "data.txt", size_bytes: int | None = None) -> File:
    return File(
        name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        licence="CC0-1.0",
        size_bytes=size_bytes,
        sources=(FileSource(path="data.txt"),),
    )


def keep(cache: Cache, content: bytes, file: File) -> Path:
    with cache.workspace() as folder:
        (folder / "new").write_bytes(content)
        return cache.add_file(file, folder / "new")


def left_behind(cache: Cache) -> list[Path]:
    return [path for path in cache.root.rglob("*") if path.is_file() and path.name != ".lock"]


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def test_an_empty_cache_holds_nothing_and_is_not_created(cache: Cache) -> None:
    assert cache.file(card(b"x")) is None
    assert cache.entry("artefacts", "key") is None
    assert not cache.root.exists()


def test_the_cache_is_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEELYARD_CACHE", str(tmp_path))
    assert Cache.default().root == tmp_path
    monkeypatch.setenv("STEELYARD_CACHE", "")
    assert Cache.default().root.name == "steelyard"


def test_a_file_that_was_added_is_found_again(cache: Cache) -> None:
    file = card(b"content")

    path = keep(cache, b"content", file)

    assert cache.file(file) == path
    assert left_behind(cache) == [path]


def test_content_is_found_under_another_cards_name(cache: Cache) -> None:
    path = keep(cache, b"content", card(b"content", "one.txt"))

    assert cache.file(card(b"content", "two.txt")) == path


def test_a_file_with_a_wrong_hash_is_not_added(cache: Cache) -> None:
    with pytest.raises(SourceError, match=r"data\.txt: sha256 is .*pins"):
        keep(cache, b"other", card(b"content"))

    assert left_behind(cache) == []


def test_a_file_with_a_wrong_size_is_not_added(cache: Cache) -> None:
    with pytest.raises(SourceError, match="has 7 bytes, the card pins 8"):
        keep(cache, b"content", card(b"content", size_bytes=8))


def test_a_file_changed_in_the_cache_is_removed_and_said(cache: Cache) -> None:
    file, talk = card(b"content"), Talk()
    path = keep(cache, b"content", file)
    assert cache.file(file) == path
    path.write_bytes(b"CONTENT")

    assert cache.file(file, talk) is None
    assert not path.exists()
    assert "removed from the cache" in talk.lines[0]


def test_a_finished_folder_is_found_and_verified(cache: Cache) -> None:
    with cache.build("artefacts", "key") as folder:
        (folder / "sub").mkdir()
        (folder / "sub/weights").write_bytes(b"123")

    entry = cache.entry("artefacts", "key")

    assert entry is not None
    assert (entry / "sub/weights").read_bytes() == b"123"
    assert folder_sha256(entry)[1] == 3


@pytest.mark.parametrize("change", ["edit", "add", "remove", "unreadable manifest", "link"])
def test_a_damaged_folder_counts_as_absent_and_can_be_built_again(
    change: str, cache: Cache, tmp_path: Path
) -> None:
    with cache.build("artefacts", "key") as folder:
        (folder / "weights").write_bytes(b"123")
    entry = cache.root / "artefacts/key"
    if change == "edit":
        (entry / "weights").write_bytes(b"124")
    elif change == "add":
        (entry / "more").touch()
    elif change == "remove":
        (entry / "weights").unlink()
    elif change == "link":
        (entry / "weights").unlink()
        (tmp_path / "weights").write_bytes(b"123")
        (entry / "weights").symlink_to(tmp_path / "weights")
    else:
        (entry / "manifest.json").write_text("{")
    talk = Talk()

    assert cache.entry("artefacts", "key", talk) is None
    assert "counts as absent" in talk.lines[0]
    with cache.build("artefacts", "key") as folder:
        (folder / "weights").write_bytes(b"123")
    assert cache.entry("artefacts", "key") == entry


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_build_that_fails_leaves_nothing_behind(error: type[BaseException], cache: Cache) -> None:
    def interrupted() -> None:
        with cache.build("artefacts", "key") as folder:
            (folder / "half").write_bytes(b"1")
            raise error

    with pytest.raises(error):
        interrupted()

    assert cache.entry("artefacts", "key") is None
    assert left_behind(cache) == []


def test_of_two_builds_of_one_key_the_first_to_finish_wins(cache: Cache) -> None:
    with cache.build("artefacts", "key") as slow:
        (slow / "by").write_text("slow")
        with cache.build("artefacts", "key") as quick:
            (quick / "by").write_text("quick")

    entry = cache.entry("artefacts", "key")

    assert entry is not None
    assert (entry / "by").read_text() == "quick"


def test_exclusive_holds_a_lock_of_the_key(cache: Cache) -> None:
    with (
        cache.exclusive("artefacts", "key"),
        (cache.root / "locks/artefacts-key.lock").open() as lock,
        pytest.raises(BlockingIOError),
    ):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_manifests_name_is_refused_to_builders(cache: Cache) -> None:
    with (
        pytest.raises(PrepareError, match="use another name"),
        cache.build("artefacts", "key") as folder,
    ):
        (folder / "manifest.json").touch()


def test_what_a_dead_process_left_is_swept_and_what_a_living_one_uses_is_not(
    cache: Cache,
) -> None:
    dead = cache.root / "tmp/dead"
    (dead / "work").mkdir(parents=True)
    (dead / "lock").touch()

    with cache.workspace() as first:
        (first / "mine").touch()
        with cache.workspace():
            assert (first / "mine").exists()

    assert not dead.exists()


def test_the_hash_of_a_folder_follows_names_and_contents(tmp_path: Path) -> None:
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / ("y" if name == "b" else "x")).write_bytes(content)

    hashes = {folder_sha256(tmp_path / name)[0] for name in "abc"}
    (tmp_path / "a/manifest.json").write_text("not counted")

    assert len(hashes) == 3
    assert folder_sha256(tmp_path / "a")[0] in hashes


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_full_or_read_only_cache_is_one_clear_message(
    number: int, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(cache_module, "_sync", fail)

    with pytest.raises(PrepareError, match=r"(?s)cache.*set STEELYARD_CACHE"):
        keep(cache, b"content", card(b"content"))
    with pytest.raises(PrepareError, match="set STEELYARD_CACHE"), cache.build("a", "k"):
        pass


def test_a_cache_that_cannot_be_made_is_one_clear_message(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with (
        pytest.raises(PrepareError, match="set STEELYARD_CACHE"),
        Cache(tmp_path / "file/cache").workspace(),
    ):
        pass


def test_an_error_of_the_builder_itself_is_not_blamed_on_the_cache(cache: Cache) -> None:
    with pytest.raises(FileNotFoundError), cache.build("artefacts", "key"):
        Path("/nowhere/to/be/found").read_bytes()


@pytest.mark.parametrize("step", ["file", "entry", "check"])
def test_a_cache_that_cannot_be_looked_into_is_one_clear_message(
    step: str, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: Path) -> bool:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "is_dir", closed)
    steps = {
        "file": lambda: cache.file(card(b"x")),
        "entry": lambda: cache.entry("data", "key"),
        "check": cache.check,
    }

    with pytest.raises(PrepareError) as refused:
        steps[step]()

    assert str(refused.value) == (
        f"{cache.root}: the cache cannot be used: Permission denied\n"
        "try: set STEELYARD_CACHE to a folder that you can write"
    )


def test_a_cache_where_no_folder_can_be_made_is_one_clear_message(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(path: Path, **_: object) -> None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(cache.root))

    monkeypatch.setattr(Path, "mkdir", gone)

    with pytest.raises(PrepareError, match="the cache cannot be used: No such file or directory"):
        cache.check()


def test_a_cache_that_was_filled_elsewhere_need_not_be_written(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(cache, b"content", card(b"content"))

    def closed(path: Path, **_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "mkdir", closed)

    cache.check()
    assert cache.file(card(b"content")) is not None
