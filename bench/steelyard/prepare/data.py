"""Turn a task's verified files into checked items with folds, and choose among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from msgspec import Struct

from steelyard import arrays
from steelyard.api import ArrayReader, ArrayRef, Item, Reader, TrainingSet
from steelyard.card import AnswerKind, TaskCard
from steelyard.errors import PrepareError
from steelyard.notation import NotationError, parse_numbers, parse_spans
from steelyard.prepare import archive
from steelyard.prepare.folds import assign_folds
from steelyard.prepare.sampling import sample

__all__ = [
    "Dataset",
    "dataset",
    "prompt_pool",
    "prompted_test_items",
    "sample",
    "test_items",
    "training_set",
]


class Dataset(Struct, frozen=True, kw_only=True):
    """A task's items. `sha256` is over their JSON lines, folds included.

    `arrays` is where the arrays of the items lie on this machine, where they have any.
    """

    task: str
    folds: int
    items: tuple[Item, ...]
    sha256: str
    notes: tuple[str, ...] = ()
    arrays: Path | None = None


def dataset(
    card: TaskCard, paths: Mapping[str, Path], reader: Reader | ArrayReader, out: Path
) -> Dataset:
    """Return the items of a task from its verified files; write their arrays, if any, into `out`.

    `paths` maps every file of the card to where it lies; archives with `extract` are unpacked for
    the reader into a temporary folder.
    """
    with TemporaryDirectory(prefix="steelyard-data-") as temporary:
        seen = _as_readers_see(card, paths, Path(temporary))
        try:
            read = _read(card, seen, reader, out)
        except PrepareError as error:
            raise PrepareError(f"task {card.id}: {error}") from error
    items = assign_folds(_checked(card, read), card.split)
    return Dataset(
        task=card.id,
        folds=card.split.folds or 1,
        items=items,
        sha256=sha256(_lines(items)).hexdigest(),
        notes=_crossings(card, items),
    )


def _read(
    card: TaskCard, seen: Mapping[str, Path], reader: Reader | ArrayReader, out: Path
) -> Sequence[Item]:
    """Return what the reader found; keep its arrays."""
    if not isinstance(reader, ArrayReader):
        return reader.read(seen, card.reader.options, card.labels)
    read = reader.read_arrays(seen, card.reader.options, card.labels)
    arrays.write(out, read.arrays)
    return [
        msgspec.structs.replace(item, array=ArrayRef(row=row, sha256=arrays.sha256(array)))
        for row, (item, array) in enumerate(zip(read.items, read.arrays, strict=True))
    ]


def training_set(card: TaskCard, data: Dataset) -> TrainingSet:
    """Return a data set as recipes see it."""
    return TrainingSet(task=card.id, labels=card.labels, folds=data.folds, items=data.items)


def test_items(data: Dataset) -> tuple[Item, ...]:
    """Return the items that some fold tests, in the data set's order."""
    return tuple(item for item in data.items if item.fold is not None)


def prompt_pool(data: Dataset) -> tuple[Item, ...]:
    """Return the items on which a prompt may be chosen and from which shots are drawn.

    Those that only train, or the last fold where every item is tested once.
    """
    only_train = tuple(item for item in data.items if item.fold is None)
    return only_train or tuple(item for item in data.items if item.fold == data.folds - 1)


def prompted_test_items(data: Dataset) -> tuple[Item, ...]:
    """Return the test items that no prompt was chosen on."""
    pool = {item.id for item in prompt_pool(data)}
    return tuple(item for item in test_items(data) if item.id not in pool)


def _lines(items: Iterable[Item]) -> bytes:
    """Return items as canonical JSON lines: sorted keys, no spaces."""
    encoder = msgspec.json.Encoder(order="sorted")
    return encoder.encode_lines(items)


def _as_readers_see(card: TaskCard, paths: Mapping[str, Path], temporary: Path) -> dict[str, Path]:
    """Return a path for every file of the card: the file, or a folder of what was extracted."""
    seen = {}
    for file in card.files:
        if file.name not in paths:
            raise PrepareError(f"task {card.id}: file {file.name!r} was not fetched")
        seen[file.name] = paths[file.name]
        if file.extract:
            seen[file.name] = temporary / file.name
            archive.extract(paths[file.name], file.extract, seen[file.name])
    return seen


def _checked(card: TaskCard, items: Sequence[Item]) -> tuple[Item, ...]:
    """Return the items if ids, labels, texts and parts are as the card says."""
    known = frozenset(label.id for label in card.labels)
    for item in items:
        fault = _fault(card, item, known)
        if fault is not None:
            raise PrepareError(f"task {card.id}: item {item.id}: {fault}")
    repeated = [name for name, n in Counter(item.id for item in items).items() if n > 1]
    if repeated:
        raise PrepareError(f"task {card.id}: {len(repeated)} ids occur twice, e.g. {repeated[0]}")
    if card.split.kind == "official":
        _check_official(card, items)
    return tuple(items)


def _fault(card: TaskCard, item: Item, known: frozenset[str]) -> str | None:
    """Say what is wrong with an item, or return None."""
    if card.modality == "text" and not item.text.strip():
        return "its text is empty"
    if card.modality != "text" and item.array is None:
        return f"it has no array, which modality {card.modality!r} needs"
    try:
        return _label_fault(card.answers, item, known)
    except NotationError as error:
        return str(error)


def _label_fault(answers: AnswerKind, item: Item, known: frozenset[str]) -> str | None:
    """Say what is wrong with an item's expected answer; raise NotationError likewise."""
    if answers == "numbers":
        return None if parse_numbers(item.label) else "no numbers are expected of it"
    if answers == "text":
        return None if item.label.strip() else "the text expected of it is empty"
    if answers == "label":
        return None if item.label in known else f"unknown label {item.label!r}"
    for _, end, kind in parse_spans(item.label):
        if kind not in known:
            return f"unknown label {kind!r}"
        if end > len(item.text):
            return f"a span ends at {end}, beyond its {len(item.text)} characters"
    return None


def _check_official(card: TaskCard, items: Sequence[Item]) -> None:
    """Refuse an official split that the reader did not give."""
    tested = sum(item.fold == 0 for item in items)
    if not tested or any(item.fold not in {0, None} for item in items):
        raise PrepareError(
            f"task {card.id}: split.kind is 'official', but the reader gave no test part; "
            "set train and test (or a part column) in reader.options, or split.kind = 'folds'"
        )


def _crossings(card: TaskCard, items: Sequence[Item]) -> tuple[str, ...]:
    """Note what train and test share; refuse it where the split is ours to make."""
    first: dict[str, int | None] = {}
    crossing = [item for item in items if first.setdefault(_asked(item), item.fold) != item.fold]
    if not crossing:
        return ()
    what = "text" if card.modality == "text" else card.modality
    share = f"{len(crossing)} items repeat a {what} of another part, e.g. {crossing[0].id}"
    if card.split.kind == "folds":
        raise PrepareError(
            f"task {card.id}: {share}; set drop_duplicates = true in reader.options, "
            "or give them one group"
        )
    return (f"{share}; kept, as the data set's own split has them",)


def _asked(item: Item) -> str:
    """Return what tells two items apart that a model is asked."""
    return item.array.sha256 if item.array else item.text
