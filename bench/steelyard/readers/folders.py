"""Read items from folders of files, one item a file, labelled by the folder it lies in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import field as member

from steelyard.api import Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.fields import lookup
from steelyard.readers.mail import subject_and_body
from steelyard.readers.rows import (
    Part,
    Row,
    Shared,
    decode_options,
    items_of,
    named_path,
    only_name,
    read_text,
    text_of,
)


class FolderOptions(Shared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the folders are laid out.

    `labels` maps folders below `root` to label ids; without it every folder below `root` is a
    label. `train` and `test` list the folders of an official split. `field` is the field of a
    JSON file that holds the text; without it the whole file is the text. As `mail`, the text is
    a message of which subject and body are kept.
    """

    file: str | None = None
    root: str = ""
    suffix: str = ""
    labels: dict[str, str] = member(default_factory=dict)
    train: list[str] = member(default_factory=list)
    test: list[str] = member(default_factory=list)
    field: str | None = None
    content: Literal["text", "mail"] = "text"
    encoding: str = "utf-8"
    errors: Literal["strict", "replace", "ignore"] = "strict"


class Folders:
    """Reader `folders`."""

    def read(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> list[Item]:
        """Return an item for every file of the folders, train folders first."""
        how = decode_options(options, FolderOptions)
        name = only_name(paths, how.file)
        root = named_path(paths, name) / how.root
        if not root.is_dir():
            raise PrepareError(f"{name}: no folder {how.root or '.'!r} in it")
        rows = (
            row
            for folder, label, part in _folders(root, name, how)
            for row in _rows(root / folder, f"{name}: {folder}", label, part, how)
        )
        return items_of(rows, labels, how, name)


def _folders(root: Path, name: str, how: FolderOptions) -> Iterator[tuple[str, str, Part | None]]:
    """Yield folder, label and part; the order decides which duplicate stays."""
    given = how.labels or {path.name: path.name for path in sorted(root.iterdir()) if path.is_dir()}
    named = [*how.train, *how.test]
    for folder in [*given, *named]:
        if not (root / folder).is_dir():
            there = ", ".join(sorted(path.name for path in root.iterdir() if path.is_dir()))
            raise PrepareError(f"{name}: no folder {folder!r}; there is {there or 'none'}")
    if named and sorted(named) != sorted(given):
        raise PrepareError("reader.options: every labelled folder is in train or in test, once")
    for folder in how.train:
        yield folder, given[folder], "train"
    for folder in how.test:
        yield folder, given[folder], "test"
    if not named:
        for folder in sorted(given):
            yield folder, given[folder], None


def _rows(
    folder: Path, place: str, label: str, part: Part | None, how: FolderOptions
) -> Iterator[Row]:
    """Yield a folder's files in the order of their names."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    for path in files:
        if path.name.endswith(how.suffix):
            where = f"{place}/{path.name}"
            text = _content(path, where, how)
            if how.content == "mail":
                subject, body = subject_and_body(text)
                # Without a body there is nothing to compare: such messages are not duplicates.
                whole = f"{subject}\n\n{body}".strip()
                yield Row(where=where, text=whole, label=label, part=part, body=body or whole)
            else:
                yield Row(where=where, text=text, label=label, part=part)


def _content(path: Path, where: str, how: FolderOptions) -> str:
    """Return a file's text, or the text in its JSON field."""
    text = read_text(path, where, how.encoding, how.errors)
    if how.field is None:
        return text
    try:
        document = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise PrepareError(f"{where}: not JSON: {error}") from error
    return text_of(lookup(document, how.field, where), where, how.field)
