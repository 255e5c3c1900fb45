"""Read the tensors of a file in torch's format before 1.6, without unpickling it.

Such a file is five pickles and then the raw values. pickletools only splits a pickle into its
operations; what they may do is listed here: build dictionaries, tuples and lists of names and
numbers, and describe tensors. Anything else, above all any other class or function, is refused, and
nothing that a file names is ever imported or called.
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import Struct

from steelyard.errors import PrepareError

MAGIC = 0x1950A86A20F9469CFC6C  # torch.serialization.MAGIC_NUMBER
PROTOCOL = 1001
DICTIONARY, TENSOR = "collections OrderedDict", "torch._utils _rebuild_tensor_v2"
DTYPES = {"torch FloatStorage": "<f4", "torch LongStorage": "<i8"}
CONSTANTS: dict[str, object] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
NUMBERS = ("BININT", "BININT1", "BININT2", "LONG1")
MOST_VALUES = 1 << 30


class _Name(Struct, frozen=True):
    """A class or function that a pickle names: known by its name alone."""

    path: str


class _Storage(Struct, frozen=True):
    key: str
    dtype: str
    count: int


class _Tensor(Struct, frozen=True):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Refused(Exception):  # noqa: N818  # never leaves this module
    """A pickle asks for what is not allowed."""


_MARK = _Name("mark")


def tensors(path: Path) -> dict[str, Any]:
    """Return the tensors of `path` by name, as numpy arrays; raise PrepareError for another file.

    Only tensors of floats and integers are known that fill a storage, in any order of axes.
    """
    import numpy as np

    # Out of memory a read gets what there is: a file would first set aside all that is asked for.
    file = BytesIO(path.read_bytes())
    try:
        described, storages = _described(file)
        values = {}
        for storage in storages:
            count = int.from_bytes(_exactly(file, 8), "little")
            _require(count == storage.count, f"storage {storage.key}: {count} values")
            size = count * np.dtype(storage.dtype).itemsize
            values[storage.key] = np.frombuffer(_exactly(file, size), storage.dtype)
        _require(not file.read(1), "bytes behind the last tensor")
    except (_Refused, ValueError, IndexError, KeyError) as error:
        raise PrepareError(f"{path.name}: no tensors that can be read safely: {error}") from error
    return {name: _ordered(values[t.storage.key], t) for name, t in described.items()}


def _described(file: BinaryIO) -> tuple[dict[str, _Tensor], list[_Storage]]:
    """Return the tensors that the file describes, and the storages whose values follow."""
    _require(_evaluated(file) == MAGIC, "not torch's format before 1.6")
    _require(_evaluated(file) == PROTOCOL, "another version of the format")
    system = _evaluated(file)
    _require(isinstance(system, dict) and system.get("little_endian") is True, "byte order")
    found, keys = _evaluated(file), _evaluated(file)
    _require(isinstance(found, dict) and isinstance(keys, list), "no dictionary of tensors")
    for name, tensor in found.items():
        _require(isinstance(tensor, _Tensor), f"{name!r} is no tensor")
        _check(name, tensor)
    storages = {tensor.storage.key: tensor.storage for tensor in found.values()}
    shared = all(storages[tensor.storage.key] == tensor.storage for tensor in found.values())
    _require(all(isinstance(key, str) for key in keys), "storages without a name")
    _require(shared and sorted(keys) == sorted(storages), "storages that do not agree")
    return found, [storages[key] for key in keys]


def _check(name: str, tensor: _Tensor) -> None:
    """Refuse a tensor that is not a whole storage, each value once, in whatever order of axes."""
    sizes = (*tensor.shape, *tensor.strides)
    _require(all(type(size) is int and size > 0 for size in sizes), f"{name}: {tensor.shape}")
    _require(len(tensor.shape) == len(tensor.strides), f"{name}: other strides than axes")
    count, step = math.prod(tensor.shape), 1
    for stride, size in sorted(zip(tensor.strides, tensor.shape, strict=True)):
        _require(size == 1 or stride == step, f"{name}: strides {tensor.strides}")
        step *= size
    _require(tensor.offset == 0 and tensor.storage.count == count, f"{name}: a part of a storage")


def _ordered(values: Any, tensor: _Tensor) -> Any:
    """Return a storage's values in the order of the tensor's axes."""
    import numpy as np

    outward = sorted(range(len(tensor.shape)), key=lambda a: (-tensor.strides[a], -tensor.shape[a]))
    laid = values.reshape([tensor.shape[axis] for axis in outward])
    return np.array(laid.transpose(np.argsort(np.array(outward, np.intp))), order="C")


def _evaluated(file: BinaryIO) -> Any:
    """Return what one pickle holds."""
    machine = _Machine()
    for operation, argument, _ in _operations(file):
        if operation == "STOP":
            return machine.result()
        machine.step(operation, argument)
    raise _Refused("a pickle without an end")


def _operations(file: BinaryIO) -> Iterator[tuple[str, Any, Any]]:
    for opcode, argument, position in pickletools.genops(file):
        yield opcode.name, argument, position


class _Machine:
    """A pickle's stack and memory, with the few operations that a list of tensors needs."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memory: dict[int, Any] = {}
        self._steps: dict[str, Callable[[], None]] = {
            "TUPLE": lambda: self._push(tuple(self._since_mark())),
            "TUPLE1": lambda: self._push((self._pop(),)),
            "TUPLE2": lambda: self._push(self._last(2)),
            "TUPLE3": lambda: self._push(self._last(3)),
            "SETITEM": lambda: self._set([self._pop(), self._pop()][::-1]),
            "SETITEMS": lambda: self._set(self._since_mark()),
            "APPEND": lambda: self._append([self._pop()]),
            "APPENDS": lambda: self._append(self._since_mark()),
            "BINPERSID": lambda: self._push(_storage(self._pop())),
            "REDUCE": self._reduce,
            "BUILD": self._forget,
            "EMPTY_TUPLE": lambda: self._push(()),
            "EMPTY_DICT": lambda: self._push({}),
            "EMPTY_LIST": lambda: self._push([]),
            "MARK": lambda: self._push(_MARK),
        }

    def step(self, operation: str, argument: Any) -> None:
        """Carry out one operation, or refuse it."""
        if operation in {"BINPUT", "LONG_BINPUT"}:
            self._memory[argument] = self._stack[-1]
        elif operation in {"BINGET", "LONG_BINGET"}:
            self._push(self._memory[argument])
        elif operation == "BINUNICODE" or operation in NUMBERS:
            self._push(argument)
        elif operation in CONSTANTS:
            self._push(CONSTANTS[operation])
        elif operation == "GLOBAL":
            _require(argument in {DICTIONARY, TENSOR, *DTYPES}, f"it names {argument!r}")
            self._push(_Name(argument))
        elif operation in self._steps:
            self._steps[operation]()
        else:
            _require(operation == "PROTO" and argument == 2, f"operation {operation}")

    def result(self) -> Any:
        """Return the only value that is left."""
        _require(len(self._stack) == 1, "more than one value")
        return self._stack[0]

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        return self._stack.pop()

    def _since_mark(self) -> list[Any]:
        found: list[Any] = []
        while (value := self._pop()) is not _MARK:
            found.append(value)
        return found[::-1]

    def _last(self, count: int) -> tuple[Any, ...]:
        return tuple([self._pop() for _ in range(count)][::-1])

    def _set(self, given: list[Any]) -> None:
        _require(isinstance(self._stack[-1], dict) and len(given) % 2 == 0, "no dictionary")
        for name, value in zip(given[::2], given[1::2], strict=True):
            _require(isinstance(name, str), f"a key {name!r}")
            self._stack[-1][name] = value

    def _append(self, values: list[Any]) -> None:
        # Else a list could hold itself, and reading it would not end.
        _require(all(isinstance(value, str) for value in values), "a list of more than names")
        _require(isinstance(self._stack[-1], list), "no list")
        self._stack[-1].extend(values)

    def _forget(self) -> None:
        """Drop the attributes of a dictionary: torch keeps versions of modules there."""
        attributes = self._pop()
        kept = isinstance(self._stack[-1], dict) and isinstance(attributes, dict)
        _require(kept, "attributes of what is no dictionary")

    def _reduce(self) -> None:
        arguments, called = self._pop(), self._pop()
        if called == _Name(DICTIONARY) and arguments == ():
            self._push({})
        else:
            _require(called == _Name(TENSOR), "it calls something else")
            self._push(_tensor(arguments))


def _storage(given: Any) -> _Storage:
    _require(isinstance(given, tuple) and len(given) == 6, "a storage of another form")
    word, kind, key, _, count, view = given
    known = word == "storage" and isinstance(kind, _Name) and kind.path in DTYPES and view is None
    _require(known and isinstance(key, str) and type(count) is int, "a storage of another form")
    _require(0 <= count <= MOST_VALUES, f"a storage of {count} values")
    return _Storage(key, DTYPES[kind.path], count)


def _tensor(given: Any) -> _Tensor:
    _require(isinstance(given, tuple) and len(given) == 6, "a tensor of another form")
    storage, offset, shape, strides, _, hooks = given
    known = isinstance(storage, _Storage) and isinstance(shape, tuple) and hooks == {}
    _require(known and isinstance(strides, tuple), "a tensor of another form")
    return _Tensor(storage, offset, shape, strides)


def _exactly(file: BinaryIO, count: int) -> bytes:
    read = file.read(count)
    _require(len(read) == count, "it ends too early")
    return read


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _Refused(otherwise)
