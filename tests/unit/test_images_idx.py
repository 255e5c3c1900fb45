"""The reader of IDX files: heads, labels, and the same number of images of every label."""

from __future__ import annotations

import gzip
import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.api import ArrayItems, Label
from steelyard.errors import PrepareError
from steelyard.readers.idx_images import IdxImages, chosen, idx

LABELS = tuple(Label(id=name, words=name) for name in ("coat", "shoe"))


def raw(*shape: int, kind: int = 8, values: bytes | None = None) -> bytes:
    head = bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
    return head + (bytes(range(int(np.prod(shape)))) if values is None else values)


def files(root: Path, labels: bytes = b"\x00\x01\x01\x00\x00\x01") -> dict[str, Path]:
    """Write six images of 2 x 3 for each part; the test part's are gzipped."""
    n = len(labels)
    (root / "a").write_bytes(raw(n, 2, 3))
    (root / "b").write_bytes(raw(n, values=labels))
    (root / "c.gz").write_bytes(gzip.compress(raw(n, 2, 3)))
    (root / "d.gz").write_bytes(gzip.compress(raw(n, values=labels)))
    return {"idx": root}


NAMES = {"train": "a", "train_labels": "b", "test": "c.gz", "test_labels": "d.gz"}


def read(paths: dict[str, Path], **options: str | int) -> ArrayItems:
    return IdxImages().read_arrays(paths, {**NAMES, **options}, LABELS)


def test_both_parts_are_read_with_the_cards_labels_by_number(tmp_path: Path) -> None:
    found = read(files(tmp_path))

    assert [item.label for item in found.items[:6]] == [
        "coat", "shoe", "shoe", "coat", "coat", "shoe",
    ]  # fmt: skip
    assert [item.fold for item in found.items] == [None] * 6 + [0] * 6
    assert found.items[6].id == "image-test-00001"
    assert found.arrays[1].tolist() == [[6, 7, 8], [9, 10, 11]]
    assert found.arrays[1].dtype.str == "|u1"


def test_a_sample_has_as_many_images_of_every_label_and_stays_the_same(tmp_path: Path) -> None:
    first, again = (read(files(tmp_path), train_items=4, test_items=2) for _ in range(2))

    assert [item.id for item in first.items] == [item.id for item in again.items]
    assert Counter((item.fold, item.label) for item in first.items) == {
        (None, "coat"): 2, (None, "shoe"): 2, (0, "coat"): 1, (0, "shoe"): 1,
    }  # fmt: skip


@pytest.mark.parametrize("count", [0, 3, 8])
def test_a_sample_that_cannot_be_even_is_refused(count: int) -> None:
    with pytest.raises(PrepareError, match="expected a multiple of 2, at most 3 a label"):
        chosen([0, 1, 1, 0, 0, 1], count, "0")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"", "not an IDX file"),
        (b"\x01\x00\x08\x01", "not an IDX file"),
        (raw(2, kind=13, values=b""), "type 13, 1 axes"),
        (raw(2)[:6], "type 8, 1 axes"),
        (raw(3, values=b"ab"), "2 values, its head says"),
        (raw(1, values=b"ab"), "2 values, its head says"),
    ],
)
def test_a_file_that_is_not_what_its_head_says_is_refused(given: bytes, said: str) -> None:
    with pytest.raises(PrepareError, match=f"x.gz: {said}"):
        idx(given, "x.gz")


@given(st.binary(max_size=64))
def test_any_bytes_are_an_array_or_are_refused(given: bytes) -> None:
    try:
        found = idx(b"\x00\x00\x08" + given, "x")
    except PrepareError:
        return
    assert found.size == len(given) - 1 - 4 * found.ndim


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    paths = files(tmp_path)
    (tmp_path / "b").write_bytes(raw(5))
    with pytest.raises(PrepareError, match="a label an image"):
        read(paths)
    (tmp_path / "b").write_bytes(raw(6, values=b"\x00\x01\x02\x00\x00\x01"))
    with pytest.raises(PrepareError, match="label 2, but the card has 2 labels"):
        read(paths)
    (tmp_path / "d.gz").write_bytes(b"no gzip")
    with pytest.raises(PrepareError):
        read(paths)
    (tmp_path / "a").unlink()
    with pytest.raises(PrepareError, match="a: no such file"):
        read(paths)
