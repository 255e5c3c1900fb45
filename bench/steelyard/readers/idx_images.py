"""Read images in IDX files, as MNIST and its relatives come: two files a part, gzipped or not."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec import Struct

from steelyard.api import ArrayItems, Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.rows import decode_options, named_path, only_name

BYTES = 8  # the code of unsigned bytes; IDX knows others, which no image file here has
MOST_AXES = 4
MOST_VALUES = 1 << 31


class IdxOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the four files lie, and how many images are taken of each part, evenly by label.

    Label n of the files is the n-th label of the card. Without a number all images are taken.
    """

    file: str | None = None
    root: str = ""
    train: str = "train-images-idx3-ubyte.gz"
    train_labels: str = "train-labels-idx1-ubyte.gz"
    test: str = "t10k-images-idx3-ubyte.gz"
    test_labels: str = "t10k-labels-idx1-ubyte.gz"
    train_items: int | None = None
    test_items: int | None = None
    prefix: str = "image"
    seed: int = 0


class IdxImages:
    """Reader `idx-images`."""

    def read_arrays(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> ArrayItems:
        """Return the images of both parts, |u1 of height x width, each part in its file's order."""
        how = decode_options(options, IdxOptions)
        root = named_path(paths, only_name(paths, how.file)) / how.root
        train = _part(root, (how.train, how.train_labels), labels)
        test = _part(root, (how.test, how.test_labels), labels)
        items: list[Item] = []
        arrays: list[Any] = []
        for part, (images, answers), count in (
            ("train", train, how.train_items),
            ("test", test, how.test_items),
        ):
            for row in chosen(answers, count, f"{how.seed}:{part}"):
                name = f"{how.prefix}-{part}-{row + 1:05d}"
                fold = 0 if part == "test" else None
                items.append(Item(id=name, label=labels[answers[row]].id, fold=fold))
                arrays.append(images[row].copy())
        return ArrayItems(items=tuple(items), arrays=tuple(arrays))


def chosen(answers: Sequence[int], count: int | None, seed: str) -> list[int]:
    """Return `count` rows, as many of each label, in a draw fixed by hash; None: all rows."""
    if count is None:
        return list(range(len(answers)))
    by_label: dict[int, list[int]] = defaultdict(list)
    for row, answer in enumerate(answers):
        by_label[answer].append(row)
    each, rest = divmod(count, len(by_label))
    if rest or each < 1 or each > min(map(len, by_label.values())):
        raise PrepareError(
            f"reader.options: {count} images of {len(by_label)} labels; expected a multiple of "
            f"{len(by_label)}, at most {min(map(len, by_label.values()))} a label"
        )
    drawn = (
        sorted(rows, key=lambda row: sha256(f"{seed}:{row}".encode()).digest())[:each]
        for rows in by_label.values()
    )
    return sorted(row for rows in drawn for row in rows)


def idx(raw: bytes, where: str) -> Any:
    """Return the array of an IDX file of bytes: 0, 0, type, axes, their sizes, the values."""
    import numpy as np

    if len(raw) < 4 or raw[:2] != b"\x00\x00":
        raise PrepareError(f"{where}: not an IDX file")
    kind, axes = raw[2], raw[3]
    if kind != BYTES or not 1 <= axes <= MOST_AXES or len(raw) < 4 + 4 * axes:
        raise PrepareError(f"{where}: type {kind}, {axes} axes; expected unsigned bytes (8)")
    shape = struct.unpack(f">{axes}I", raw[4 : 4 + 4 * axes])
    values = np.frombuffer(raw, np.uint8, offset=4 + 4 * axes)
    if values.size != math.prod(shape):
        raise PrepareError(f"{where}: {values.size} values, its head says {shape}")
    return values.reshape(shape)


def _part(root: Path, names: tuple[str, str], labels: Sequence[Label]) -> tuple[Any, list[int]]:
    """Return the images of a part and the number of each one's label."""
    images, answers = (idx(_raw(root / name), name) for name in names)
    if images.ndim != 3 or answers.ndim != 1 or len(images) != len(answers):
        raise PrepareError(
            f"{names[0]}: shape {images.shape}, {names[1]}: {answers.shape}; "
            "expected images x height x width, and a label an image"
        )
    if len(answers) and int(answers.max()) >= len(labels):
        raise PrepareError(
            f"{names[1]}: label {int(answers.max())}, but the card has {len(labels)} labels"
        )
    return images, answers.tolist()


def _raw(path: Path) -> bytes:
    """Return a file's bytes, unpacked if it is gzipped."""
    try:
        if path.suffix != ".gz":
            return path.read_bytes()
        with gzip.open(path) as file:
            found = file.read(MOST_VALUES + 1)
    except FileNotFoundError as error:
        raise PrepareError(f"{path.name}: no such file") from error
    except (OSError, EOFError, zlib.error) as error:
        raise PrepareError(f"{path.name}: cannot be unpacked: {error}") from error
    if len(found) > MOST_VALUES:
        raise PrepareError(f"{path.name}: unpacks to more than {MOST_VALUES:,} bytes")
    return found
