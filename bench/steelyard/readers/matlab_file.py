"""Take numbers out of MATLAB 5 files (MAT-File Format, MathWorks): nothing else is decoded.

Objects, functions and whatever else could mean code are refused where they are asked for and
skipped, undecoded, where they are not.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from steelyard.errors import PrepareError

HEADER_BYTES = 128
MOST_BYTES = 1 << 28
MATRIX, COMPRESSED = 14, 15
STRUCT = 2
NUMERIC = range(6, 16)  # mxDOUBLE_CLASS to mxUINT64_CLASS
COMPLEX = 0x08
TYPES = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
CLASSES = {
    1: "a cell array", 3: "an object", 4: "text", 5: "a sparse matrix", 16: "a function",
    17: "an opaque object",
}  # fmt: skip

Numbers = NDArray[np.float64]


class _Element(NamedTuple):
    """One tagged piece of a file: its data type and its bytes."""

    kind: int
    data: memoryview


class _Matrix(NamedTuple):
    """A named array: its class, its sizes and what follows them."""

    kind: int
    flags: int
    sizes: tuple[int, ...]
    name: str
    rest: memoryview


class MatlabFile:
    """The variables of a file, by name; `where` is what messages call the file."""

    def __init__(self, content: bytes, where: str) -> None:
        """Find the variables; raise PrepareError for other formats and damaged files."""
        self._where = where
        self._order = _byte_order(content, where)
        with _explained(where):
            found = [self._matrix(data) for data in self._top(memoryview(content)[HEADER_BYTES:])]
        self._variables = {matrix.name: matrix for matrix in found}

    def numbers(self, path: str) -> Numbers:
        """Return the array at `variable` or `variable.field`; raise PrepareError likewise."""
        names = path.split(".")
        with _explained(self._where):
            at, found = self._variables, None
            for name in names:
                if name not in at:
                    there = ", ".join(map(repr, at)) or "nothing"
                    raise PrepareError(f"{self._where}: no {path!r}; there is {there}")
                found = at[name]
                at = self._fields(found) if found.kind == STRUCT else {}
            if found is None:
                raise PrepareError(f"{self._where}: no name was given")
            return self._values(found, path)

    def _top(self, data: memoryview) -> Iterator[memoryview]:
        """Yield the bytes of each variable, inflated."""
        for element in self._elements(data):
            if element.kind == COMPRESSED:
                yield from self._top_inflated(element.data)
            elif element.kind == MATRIX:
                yield element.data

    def _top_inflated(self, data: memoryview) -> Iterator[memoryview]:
        inflater = zlib.decompressobj()
        inflated = inflater.decompress(data, MOST_BYTES)
        if inflater.unconsumed_tail:
            raise PrepareError(f"{self._where}: a variable of more than {MOST_BYTES:,} bytes")
        for element in self._elements(memoryview(inflated)):
            if element.kind == MATRIX:
                yield element.data

    def _elements(self, data: memoryview) -> Iterator[_Element]:
        """Yield tagged elements; each but a compressed one ends on a multiple of eight bytes."""
        at = 0
        while at + 8 <= len(data):
            kind, size = struct.unpack_from(self._order + "II", data, at)
            start, step = at + 8, 8 + size
            if kind >> 16:  # a small element: size and type share four bytes, data the others
                kind, size = kind & 0xFFFF, kind >> 16
                start, step = at + 4, 8
                if size > 4:
                    raise PrepareError(f"{self._where}: damaged at a small element of {size} bytes")
            if start + size > len(data):
                raise PrepareError(f"{self._where}: damaged: it ends within an element")
            yield _Element(kind, data[start : start + size])
            at += step if kind == COMPRESSED else -(-step // 8) * 8

    def _matrix(self, data: memoryview) -> _Matrix:
        elements = list(self._head(data))
        flags, sizes, name = (element.data for element, _ in elements)
        (word,) = struct.unpack_from(self._order + "I", flags)
        dimensions = np.frombuffer(sizes, self._order + "i4")
        if np.any(dimensions < 0):
            raise PrepareError(f"{self._where}: damaged: a negative size")
        return _Matrix(
            kind=word & 0xFF,
            flags=word >> 8 & 0xFF,
            sizes=tuple(int(size) for size in dimensions),
            name=bytes(name).decode("ascii"),
            rest=data[elements[-1][1] :],
        )

    def _head(self, data: memoryview) -> Iterator[tuple[_Element, int]]:
        """Yield flags, sizes and name, each with where it ends."""
        at = 0
        for _ in range(3):
            element = next(self._elements(data[at:]), None)
            if element is None:
                raise PrepareError(f"{self._where}: damaged: an array without sizes or a name")
            small = struct.unpack_from(self._order + "I", data, at)[0] >> 16
            at += 8 if small else -(-(8 + len(element.data)) // 8) * 8
            yield element, at

    def _fields(self, matrix: _Matrix) -> dict[str, _Matrix]:
        """Return the fields of a structure; those of an array of structures are refused."""
        if matrix.sizes != (1, 1):
            raise PrepareError(
                f"{self._where}: {matrix.name!r} holds {matrix.sizes} structures, expected one"
            )
        length, names, *values = self._elements(matrix.rest)
        (width,) = struct.unpack(self._order + "i", length.data)
        if width < 1:
            raise PrepareError(f"{self._where}: damaged: field names of {width} bytes")
        texts = [
            bytes(names.data[start : start + width]).split(b"\0")[0].decode("ascii")
            for start in range(0, len(names.data), width)
        ]
        return dict(zip(texts, (self._matrix(value.data) for value in values), strict=True))

    def _values(self, matrix: _Matrix, path: str) -> Numbers:
        if matrix.kind not in NUMERIC or matrix.flags & COMPLEX:
            what = CLASSES.get(matrix.kind, "a structure" if matrix.kind == STRUCT else "complex")
            raise PrepareError(f"{self._where}: {path!r} is {what}, expected real numbers")
        element = next(self._elements(matrix.rest), None)
        if element is None or element.kind not in TYPES:
            raise PrepareError(f"{self._where}: {path!r} is damaged: no numbers in it")
        read = np.frombuffer(element.data, self._order + TYPES[element.kind])
        return read.astype(np.float64).reshape(matrix.sizes, order="F")


def _byte_order(content: bytes, where: str) -> str:
    mark = content[HEADER_BYTES - 4 : HEADER_BYTES]
    order = {b"\x00\x01IM": "<", b"\x01\x00MI": ">"}.get(mark)
    if order is None:
        raise PrepareError(
            f"{where}: not a MATLAB 5 file; save it with -v6 or -v7 (-v7.3 is another format)"
        )
    return order


class _explained:  # noqa: N801  # reads as a statement
    """Turn what a damaged file makes the decoders raise into one message."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (ValueError, struct.error, zlib.error)):
            raise PrepareError(f"{self._where}: damaged: {error}") from error
