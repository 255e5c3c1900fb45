"""Where the files of a model without a card are: a hub's repository, or a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from steelyard.adhoc.listing import Listed
from steelyard.adhoc.reference import Reference
from steelyard.card import File, FileSource, HubSource, Source
from steelyard.errors import Refusal, SourceError
from steelyard.prepare.cache import Cache
from steelyard.prepare.hashing import file_sha256
from steelyard.prepare.sources import hub
from steelyard.prepare.sources.hub import Snapshot
from steelyard.progress import Progress

UNTOLD = "not stated by its publisher"
# A tokenizer takes 10 to 35 MB; what is larger and not in LFS is nothing that we read.
LARGEST_READ = 100_000_000


class Client(Protocol):
    """A hub: what is in a repository, and one file of it."""

    def snapshot(self, repo: str, revision: str) -> Snapshot:
        """Return what a repository holds at a revision; raise SourceError."""
        ...

    def download(self, source: HubSource, folder: Path) -> Path:
        """Download one file into an empty folder; raise SourceError."""
        ...


class HubClient(Struct, frozen=True):
    """The hub that huggingface_hub is set up for."""

    def snapshot(self, repo: str, revision: str) -> Snapshot:
        """Return what a repository holds at a revision."""
        return hub.snapshot(repo, revision)

    def download(self, source: HubSource, folder: Path) -> Path:
        """Download one file."""
        return hub.download(source, folder)


class Shelf(Struct, frozen=True, kw_only=True):
    """A model's files: `listed`, and how to get a source, and hash and content, of one of them.

    `revision` is a commit, or a hash over a folder's files; it is part of the card's id.
    """

    name: str
    title: str
    listed: tuple[Listed, ...]
    licence: str
    source: Callable[[str], Source]
    pin: Callable[[Listed], tuple[File, Path]]
    revision: str | None = None


def file_name(path: str) -> str:
    """Return the name that a card gives a file: without its folder; one ONNX graph is the model."""
    name = path.rpartition("/")[2]
    return "model.onnx" if name.endswith(".onnx") else name


def folder_shelf(reference: Reference, progress: Progress) -> Shelf:
    """Return the files directly in a folder; they are used where they are."""
    folder = Path(reference.place).expanduser().absolute()
    if not folder.is_dir():
        raise Refusal(f"{reference}: no such folder")
    paths = [path for pattern in ("*", "onnx/*") for path in sorted(folder.glob(pattern))]
    listed = tuple(
        Listed(path=path.relative_to(folder).as_posix(), size_bytes=path.stat().st_size)
        for path in paths
        if path.is_file()
    )

    def source(path: str) -> FileSource:
        return FileSource(path=str(folder / path))

    def pin(one: Listed) -> tuple[File, Path]:
        path = folder / one.path
        if (one.size_bytes or 0) > LARGEST_READ:
            progress.say(f"hashing {one.path}")
        return _file(one, file_sha256(path), _UNKNOWN, source(one.path)), path

    return Shelf(
        name=folder.name, title=f"{folder.name}, a local folder", listed=listed,
        licence=_UNKNOWN, source=source, pin=pin,
    )  # fmt: skip


def hub_shelf(reference: Reference, client: Client, cache: Cache, progress: Progress) -> Shelf:
    """Return the files of a repository at a commit; what is small is fetched to be hashed."""
    try:
        found = client.snapshot(reference.place, reference.revision)
    except SourceError as error:
        raise SourceError(
            f"{reference}: {error}\ntry: path:DIR with its files, or --offline if this commit was "
            "run before"
        ) from error
    if found.commit != reference.revision:
        progress.say(
            f"{reference}: {reference.revision} is commit {found.commit} now; "
            f"pin it with hub:{reference.place}@{found.commit}"
        )
    licence = found.licence or UNTOLD

    def source(path: str) -> HubSource:
        return HubSource(repo=reference.place, revision=found.commit, path=path)

    def pin(one: Listed) -> tuple[File, Path]:
        if (one.size_bytes or 0) > LARGEST_READ:
            raise Refusal(f"{reference}: {one.path} is too large to be what it is named")
        with cache.workspace() as folder:
            written = client.download(source(one.path), folder)
            file = _file(one, file_sha256(written), licence, source(one.path))
            return file, cache.add_file(file, written)

    name = reference.place.partition("/")[2]
    return Shelf(
        name=name, title=f"{reference.place} at commit {found.commit[:12]}", licence=licence,
        listed=_listed(found), source=source, pin=pin, revision=found.commit,
    )  # fmt: skip


_UNKNOWN = "not known: a local folder"


def _listed(found: Snapshot) -> tuple[Listed, ...]:
    return tuple(
        Listed(path=one.path, size_bytes=one.size_bytes, sha256=one.sha256) for one in found.files
    )


def pinned(shelf: Shelf, listed: Sequence[Listed]) -> tuple[File, ...]:
    """Return weights as a card names them; those whose hash the hub says are not fetched yet."""
    return tuple(
        _file(one, one.sha256, shelf.licence, shelf.source(one.path))
        if one.sha256 is not None
        else shelf.pin(one)[0]
        for one in listed
    )


def _file(one: Listed, sha256: str, licence: str, source: Source) -> File:
    return File(
        name=file_name(one.path),
        sha256=sha256,
        licence=licence,
        sources=(source,),
        size_bytes=one.size_bytes or None,
    )
