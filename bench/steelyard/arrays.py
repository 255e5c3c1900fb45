"""The arrays of a task's items, images, sounds and signals: one file of bytes, one of shapes."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from steelyard.errors import SteelyardError

DATA = "arrays.bin"
INDEX = "arrays.json"
DTYPES = ("|u1", "<i2", "<i4", "<f4", "<f8")


class _Index(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    dtype: str
    shapes: tuple[tuple[int, ...], ...]


class ArrayError(SteelyardError):
    """Arrays that cannot be kept, or kept ones that cannot be read."""


def sha256(array: Any) -> str:
    """Return the identity of an array: its type, shape and values (C order)."""
    head = msgspec.json.encode([_dtype(array), array.shape])
    return hashlib.sha256(head + array.tobytes()).hexdigest()


def write(folder: Path, arrays: Sequence[Any]) -> None:
    """Keep numpy arrays of one dtype in `folder`; raise ArrayError for none or mixed ones."""
    dtypes = {_dtype(array) for array in arrays}
    if len(dtypes) != 1:
        raise ArrayError(f"arrays of one type are needed, got {sorted(dtypes) or 'none'}")
    index = _Index(dtype=dtypes.pop(), shapes=tuple(array.shape for array in arrays))
    with (folder / DATA).open("wb") as file:
        for array in arrays:
            file.write(array.tobytes())
    (folder / INDEX).write_bytes(msgspec.json.encode(index))


class Arrays:
    """Kept arrays, read row by row: none stays in memory, and no page of the file is mapped."""

    def __init__(self, folder: Path) -> None:
        """Look into `folder`; raise ArrayError where it holds no arrays, or less than it says."""
        import numpy as np

        self._path = folder / DATA
        try:
            index = msgspec.json.decode((folder / INDEX).read_bytes(), type=_Index)
            size = self._path.stat().st_size
        except (OSError, msgspec.MsgspecError) as error:
            raise ArrayError(f"{folder}: its arrays cannot be read: {error}") from error
        if index.dtype not in DTYPES:
            raise ArrayError(f"{folder / INDEX}: dtype {index.dtype!r}, expected one of {DTYPES}")
        self._dtype, self._shapes = np.dtype(index.dtype), index.shapes
        sizes = [math.prod(shape) * self._dtype.itemsize for shape in index.shapes]
        self._offsets = [0, *accumulate(sizes)]
        if size != self._offsets[-1]:
            raise ArrayError(
                f"{self._path}: expected {self._offsets[-1]} bytes, found {size}; "
                "prepare the task again"
            )

    def __len__(self) -> int:
        return len(self._shapes)

    def __getitem__(self, row: int) -> Any:
        """Return an array of its own, which its caller may change."""
        import numpy as np

        if not 0 <= row < len(self._shapes):
            raise ArrayError(f"row {row} of {len(self._shapes)} arrays")
        with self._path.open("rb") as file:
            file.seek(self._offsets[row])
            read = bytearray(file.read(self._offsets[row + 1] - self._offsets[row]))
        return np.frombuffer(read, self._dtype).reshape(self._shapes[row])


def _dtype(array: Any) -> str:
    name = str(array.dtype.str)
    if name not in DTYPES:
        raise ArrayError(f"arrays of type {name} are not kept; expected one of {DTYPES}")
    return name
