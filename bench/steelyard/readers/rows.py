"""What readers share: strict options, decoded files, and rows that become checked items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from steelyard.api import Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError

Part = Literal["train", "test"]
_T = TypeVar("_T")


class Row(Struct, frozen=True, kw_only=True):
    """One item as it stands in a file; `where` is the place a message names.

    Rows with the same `body` count as duplicates; without one the text decides.
    """

    where: str
    text: str
    label: str
    id: str | None = None
    group: str | None = None
    part: Part | None = None
    body: str | None = None


class Shared(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options that every reader of labelled rows understands."""

    prefix: str = "item"
    drop_duplicates: bool = False


class Parts(Shared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which of a card's files to read: one `file`, or `train` and `test` for an official split."""

    file: str | None = None
    train: str | None = None
    test: str | None = None
    encoding: str = "utf-8"


def decode_options(given: Mapping[str, Option], kind: type[_T]) -> _T:
    """Return a reader's options as `kind`; refuse what it does not know."""
    known = getattr(kind, "__struct_fields__", ())
    unknown = [name for name in given if name not in known]
    if unknown:
        raise PrepareError(
            f"reader.options.{unknown[0]}: not an option of this reader; it knows "
            + ", ".join(sorted(known))
        )
    try:
        return msgspec.convert(dict(given), kind)
    except msgspec.ValidationError as error:
        raise PrepareError(f"reader.options: {error}") from error


def chosen_files(
    paths: Mapping[str, Path], options: Parts
) -> Iterator[tuple[str, Path, Part | None]]:
    """Yield name, path and part of each file to read."""
    if (options.train is None) != (options.test is None):
        raise PrepareError("reader.options: train and test go together; give both or neither")
    if options.train is not None and options.test is not None:
        if options.file is not None:
            raise PrepareError("reader.options: give either file, or train and test")
        yield options.train, named_path(paths, options.train), "train"
        yield options.test, named_path(paths, options.test), "test"
    else:
        name = only_name(paths, options.file)
        yield name, named_path(paths, name), None


def only_name(paths: Mapping[str, Path], name: str | None) -> str:
    """Return `name`, or the name of the card's only file."""
    if name is not None:
        return name
    if len(paths) != 1:
        raise PrepareError(
            f"reader.options.file: the card has {len(paths)} files ({', '.join(sorted(paths))}); "
            "say which one to read"
        )
    return next(iter(paths))


def named_path(paths: Mapping[str, Path], name: str) -> Path:
    """Return the path of the card's file `name`."""
    if name not in paths:
        raise PrepareError(
            f"reader.options: no file {name!r} in the card; it has {', '.join(sorted(paths))}"
        )
    return paths[name]


def read_text(path: Path, name: str, encoding: str, errors: str = "strict") -> str:
    """Return a file's text without its byte order mark; name the line that is not `encoding`."""
    data = path.read_bytes()
    # "utf-8-sig" reads both: a mark left in place would become part of the first column's name.
    codec = "utf-8-sig" if encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else encoding
    try:
        text = data.decode(codec, errors)
    except LookupError as error:
        raise PrepareError(f"reader.options: {error}") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PrepareError(
            f"{name}:{line}: byte 0x{data[error.start]:02x} is not {encoding}; "
            'set the reader option encoding, e.g. "latin-1" or "cp1252"'
        ) from error
    if not text.strip():
        raise PrepareError(f"{name}: the file is empty")
    return text


def text_of(value: Any, where: str, field: str) -> str:
    """Return a field that must be a string; whole numbers pass as labels and ids often are."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise PrepareError(f"{where}: {field!r} is {type(value).__name__}, expected text")
    return str(value)


def part_of(value: str, where: str) -> Part:
    """Return the part that a row says it belongs to."""
    if value == "train":
        return "train"
    if value == "test":
        return "test"
    raise PrepareError(f"{where}: part {value!r}, expected 'train' or 'test'")


def items_of(
    rows: Iterable[Row], labels: Sequence[Label], options: Shared, source: str
) -> list[Item]:
    """Return checked items with stable unique ids.

    An id is the row's own, or prefix, part and running number within the part. With
    `drop_duplicates` a later row with the body of an earlier one is left out, so that with train
    read before test none crosses the split; numbers still count it.
    """
    known = {label.id for label in labels}
    items: list[Item] = []
    seen: set[str] = set()
    ids: dict[str, str] = {}
    counts: dict[Part | None, int] = {}
    for row in rows:
        _check_row(row, known, labels)
        counts[row.part] = counts.get(row.part, 0) + 1
        item = _item(row, options.prefix, counts[row.part])
        if item.id in ids:
            raise PrepareError(f"{row.where}: id {item.id!r} was already used at {ids[item.id]}")
        ids[item.id] = row.where
        body = " ".join((row.text if row.body is None else row.body).split())
        if not options.drop_duplicates or body not in seen:
            items.append(item)
        seen.add(body)
    if not items:
        raise PrepareError(f"{source}: no items in it")
    return items


def _item(row: Row, prefix: str, number: int) -> Item:
    """Return the row as an item; a row without part has no fold yet."""
    middle = f"-{row.part}" if row.part else ""
    return Item(
        id=row.id or f"{prefix}{middle}-{number:04d}",
        text=row.text,
        label=row.label,
        group=row.group,
        fold=0 if row.part == "test" else None,
    )


def _check_row(row: Row, known: set[str], labels: Sequence[Label]) -> None:
    """Refuse an empty text and a label that the task does not list."""
    if not row.text.strip():
        raise PrepareError(f"{row.where}: the text is empty")
    if row.label not in known:
        raise PrepareError(f"{row.where}: label {row.label!r} {_suggestion(row.label, labels)}")


def _suggestion(label: str, labels: Sequence[Label]) -> str:
    """Say which label of the task is nearest to an unknown one."""
    said = {word.casefold(): one.id for one in labels for word in (one.words, one.id)}
    near = get_close_matches(label.strip().casefold(), said, n=1, cutoff=0.5)
    if near:
        return f"is not a label of the task; nearest is {said[near[0]]!r}"
    some = ", ".join(repr(one.id) for one in labels[:8])
    return f"is not a label of the task; it has {some}{', ...' if len(labels) > 8 else ''}"
