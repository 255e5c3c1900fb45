"""Tensors out of torch's old format: no pickle is obeyed beyond describing them."""

from __future__ import annotations

import pickle
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.errors import PrepareError
from steelyard.recipes.efficientnet_weights import MAGIC, PROTOCOL, tensors

SYSTEM = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {"int": 4}}
REBUILD, FLOATS = b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch\nFloatStorage\n"
DICTIONARY = b"ccollections\nOrderedDict\n)R"


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def row(*values: int) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(key: str, count: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> bytes:
    """Return the operations that describe a tensor, as torch writes them."""
    storage = b"(" + text("storage") + FLOATS + text(key) + text("cpu") + number(count) + b"NtQ"
    described = b"(" + storage + number(0) + row(*shape) + row(*strides) + b"\x89" + DICTIONARY
    return REBUILD + described + b"tR"


def named(**entries: bytes) -> bytes:
    return b"\x80\x02" + DICTIONARY + b"(" + b"".join(
        text(name) + entry for name, entry in entries.items()
    ) + b"u."  # fmt: skip


def legacy(path: Path, described: bytes, **values: Sequence[float]) -> Path:
    """Write a file of torch's old format; `values` are the storages' by key."""
    heads = (pickle.dumps(head, 2) for head in (MAGIC, PROTOCOL, SYSTEM))
    raw = (struct.pack("<q", len(one)) + np.array(one, "<f4").tobytes() for one in values.values())
    path.write_bytes(b"".join([*heads, described, pickle.dumps(list(values), 2), *raw]))
    return path


def test_tensors_are_read_in_the_order_of_their_axes(tmp_path: Path) -> None:
    path = legacy(
        tmp_path / "w.pth",
        named(a=tensor("1", 6, (2, 3), (3, 1)), b=tensor("2", 6, (2, 3), (1, 2))),
        **{"2": [10, 11, 12, 13, 14, 15], "1": [0, 1, 2, 3, 4, 5]},
    )

    found = tensors(path)

    assert {name: value.tolist() for name, value in found.items()} == {
        "a": [[0, 1, 2], [3, 4, 5]],
        "b": [[10, 12, 14], [11, 13, 15]],
    }


def test_a_scalar_is_a_scalar(tmp_path: Path) -> None:
    path = legacy(tmp_path / "w.pth", named(a=tensor("1", 1, (), ())), **{"1": [7]})

    assert tensors(path)["a"].shape == ()


class Evil:
    """An object whose pickle would call a function."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return sys.stdout.write, ("unpickled",)


@pytest.mark.parametrize(
    "described",
    [
        b"\x80\x02cposix\nsystem\n" + text("true") + b"\x85R.",
        b"\x80\x02cbuiltins\neval\n.",
        b"\x80\x04\x8c\x05posix\x8c\x06system\x93.",
        b"\x80\x02" + FLOATS + b")R.",
        b"\x80\x02" + REBUILD + b")R.",
        b"\x80\x02" + DICTIONARY + text("a") + b"b.",
        b"\x80\x02cos\nsystem\n)\x81.",
        b"\x80\x02(" + text("true") + b"ios\nsystem\n.",
        b"\x80\x02\x82\x01.",
        b"\x80\x02\x8b\xff\xff\xff\x7fx",
        b"\x80\x02X\xff\xff\xff\xffx",
        pickle.dumps({"a": Evil}, 2),
    ],
)
def test_whatever_else_a_pickle_asks_for_is_refused(
    tmp_path: Path, described: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = legacy(tmp_path / "w.pth", described, **{"1": [0]})

    with pytest.raises(PrepareError, match=r"w.pth: no tensors that can be read safely"):
        tensors(path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("count", "shape", "strides"),
    [
        (6, (2, 2), (2, 1)),
        (6, (2, 3), (3, 3)),
        (6, (2, 3), (-3, 1)),
        (6, (2, 3), (0, 1)),
        (6, (2, 3), (1,)),
        (6, (7,), (1,)),
        (2**30 + 1, (2**30 + 1,), (1,)),
    ],
)
def test_a_tensor_that_is_not_its_whole_storage_is_refused(
    tmp_path: Path, count: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    described = named(a=tensor("1", count, shape, strides))
    path = legacy(tmp_path / "w.pth", described, **{"1": [0.0] * 6})

    with pytest.raises(PrepareError):
        tensors(path)


def test_two_tensors_with_other_ideas_of_one_storage_are_refused(tmp_path: Path) -> None:
    described = named(a=tensor("1", 2, (2,), (1,)), b=tensor("1", 3, (3,), (1,)))

    with pytest.raises(PrepareError, match="do not agree"):
        tensors(legacy(tmp_path / "w.pth", described, **{"1": [0, 0, 0]}))


GOOD = named(a=tensor("1", 4, (2, 2), (2, 1)))


@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_a_damaged_file_is_refused_or_read_and_nothing_else(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = legacy(tmp_path_factory.mktemp("w") / "w.pth", GOOD, **{"1": [1, 2, 3, 4]})
    raw = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=4)):
        raw[place] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))])

    try:
        found = tensors(path)
    except PrepareError:
        return
    assert all(isinstance(value, np.ndarray) for value in found.values())
