"""Read numbers, texts, lists, dicts and numpy arrays out of a pickle without unpickling it.

A pickle is a program for a small machine. `pickletools.genops` of the standard library only splits
it into operations; those that build data are repeated here on inert values, one by one, and every
other operation is refused. No name in the pickle is ever looked up: four names that numpy writes
are known by their spelling, and stand for what this module does itself. Nothing is imported, called
or constructed on the pickle's word.
"""

from __future__ import annotations

import math
import pickletools
import warnings
from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np

from steelyard.errors import PrepareError

MOST_OPERATIONS = 1_000_000
MOST_AXES = 8


class PickleError(PrepareError):
    """A pickle that holds more than data, or is damaged."""


class _Name(Enum):
    """What a name that may occur stands for."""

    SHELL = "an array yet to be filled"
    ARRAY_CLASS = "the class of arrays"
    ENCODE = "a text as bytes"
    TYPE = "a type of numbers"


NAMES = {
    "numpy.core.multiarray _reconstruct": _Name.SHELL,
    "numpy._core.multiarray _reconstruct": _Name.SHELL,
    "numpy ndarray": _Name.ARRAY_CLASS,
    "_codecs encode": _Name.ENCODE,
    "numpy dtype": _Name.TYPE,
}
OBJECTS = "O8"
TYPES = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", OBJECTS})
# The rest of a plain type's state: no subtype, no names, no fields, no size of its own.
PLAIN = (None, None, None, -1, -1)


class Array:
    """An array: `values` is a numpy array that cannot be written to or, of objects, their list."""

    def __init__(self) -> None:
        self.values: Any = None


class _Type:
    def __init__(self, code: str) -> None:
        self.code, self.order = code, ""


def load(data: bytes) -> Any:
    """Return what a pickle holds; raise PickleError for anything but data.

    Values may hold each other, and themselves: who walks them must know how deep to go.
    """
    machine = _Machine(len(data))
    ended = -1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in texts of operations that are refused
            for count, (operation, argument, at) in enumerate(pickletools.genops(data)):
                if count >= MOST_OPERATIONS:
                    raise PickleError(f"more than {MOST_OPERATIONS:,} operations in a pickle")
                machine.step(operation.name, argument)
                ended = at or 0
    except ValueError as error:
        raise PickleError(f"a damaged pickle: {error}") from error
    if ended + 1 != len(data):
        raise PickleError(f"{len(data) - ended - 1} bytes after the end of a pickle")
    return machine.result()


class _Machine:
    """A stack of inert values; a mark sets the stack aside, as in the original."""

    def __init__(self, budget: int) -> None:
        self._stack: list[Any] = []
        self._aside: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        # Bytes are only made of texts that stand in the pickle: no more of them than it is long.
        self._budget = budget
        self._plain: dict[str, Callable[[], None]] = {
            "NONE": lambda: self._stack.append(None),
            "NEWTRUE": lambda: self._stack.append(True),
            "NEWFALSE": lambda: self._stack.append(False),
            "EMPTY_TUPLE": lambda: self._stack.append(()),
            "EMPTY_LIST": lambda: self._stack.append([]),
            "EMPTY_DICT": lambda: self._stack.append({}),
            "MARK": self._mark,
            "TUPLE": lambda: self._tuple(self._since_mark()),
            "TUPLE1": lambda: self._tuple([self._pop() for _ in range(1)][::-1]),
            "TUPLE2": lambda: self._tuple([self._pop() for _ in range(2)][::-1]),
            "TUPLE3": lambda: self._tuple([self._pop() for _ in range(3)][::-1]),
            "APPEND": lambda: self._extend([self._pop()]),
            "APPENDS": lambda: self._extend(self._since_mark()),
            "SETITEM": lambda: self._update([self._pop(), self._pop()][::-1]),
            "SETITEMS": lambda: self._update(self._since_mark()),
            "REDUCE": self._reduce,
            "BUILD": self._build,
            "PROTO": lambda: None,
            "STOP": lambda: None,
        }

    def step(self, name: str, argument: Any) -> None:
        """Do one operation; raise PickleError if it is none that builds data."""
        if name in {"BININT", "BININT1", "BININT2", "BINUNICODE"}:
            self._stack.append(argument)
        elif name in {"BINPUT", "LONG_BINPUT"}:
            self._memo[argument] = self._top()
        elif name in {"BINGET", "LONG_BINGET"}:
            if argument not in self._memo:
                raise PickleError("a damaged pickle: it asks for what it never kept")
            self._stack.append(self._memo[argument])
        elif name == "GLOBAL":
            self._stack.append(_known(argument))
        elif name in self._plain:
            self._plain[name]()
        else:
            raise PickleError(f"a pickle with the operation {name}, which is not needed for data")

    def result(self) -> Any:
        """Return the only value that is left."""
        if self._aside or len(self._stack) != 1:
            raise PickleError("a damaged pickle: it ends with other than one value")
        return self._stack[0]

    def _top(self) -> Any:
        if not self._stack:
            raise PickleError("a damaged pickle: it takes what it never gave")
        return self._stack[-1]

    def _pop(self) -> Any:
        top = self._top()
        self._stack.pop()
        return top

    def _mark(self) -> None:
        self._aside.append(self._stack)
        self._stack = []

    def _since_mark(self) -> list[Any]:
        if not self._aside:
            raise PickleError("a damaged pickle: it ends what it never began")
        values, self._stack = self._stack, self._aside.pop()
        return values

    def _tuple(self, values: list[Any]) -> None:
        self._stack.append(tuple(values))

    def _extend(self, values: list[Any]) -> None:
        target = self._top()
        _need(type(target) is list, "appends to what is no list")
        target.extend(values)

    def _update(self, values: list[Any]) -> None:
        target = self._top()
        _need(type(target) is dict and len(values) % 2 == 0, "sets items of what is no dict")
        keys = values[::2]
        _need(all(type(key) is str for key in keys), "has keys that are no text")
        target.update(zip(keys, values[1::2], strict=True))

    def _reduce(self) -> None:
        arguments, name = self._pop(), self._pop()
        _need(type(name) is _Name and type(arguments) is tuple, "calls what is no name")
        if name is _Name.ENCODE:
            self._stack.append(self._encoded(arguments))
        elif name is _Name.TYPE:
            _need(len(arguments) == 3 and _is_text(arguments[0], TYPES), "has an unknown type")
            self._stack.append(_Type(str(arguments[0])))
        else:
            _need(name is _Name.SHELL and len(arguments) == 3, "calls what is no function")
            _need(arguments[0] is _Name.ARRAY_CLASS, "has a subclass of arrays")
            self._stack.append(Array())

    def _encoded(self, arguments: tuple[Any, ...]) -> bytes:
        fits = len(arguments) == 2 and type(arguments[0]) is str
        _need(fits and _is_text(arguments[1], {"latin1"}), "has bytes that are not latin1")
        self._budget -= len(arguments[0])
        _need(self._budget >= 0, "has more bytes than it can hold")
        return bytes(arguments[0].encode("latin1"))

    def _build(self) -> None:
        state, target = self._pop(), self._top()
        _need(type(state) is tuple, "has a state that is no tuple")
        if type(target) is _Type:
            _set_type(target, state)
        elif type(target) is Array:
            _need(target.values is None, "fills an array twice")
            target.values = _values(state)
        else:
            raise PickleError("a pickle that sets the state of what has none")


def _known(name: str) -> _Name:
    if name not in NAMES:
        raise PickleError(f"a pickle that names {name[:80]!r}: it holds more than data")
    return NAMES[name]


def _set_type(target: _Type, state: tuple[Any, ...]) -> None:
    """Set the byte order of a type: state is (3, order, *PLAIN, flags)."""
    _need(len(state) == 8 and state[0] == 3 and state[2:7] == PLAIN, "has a type with parts")
    _need(_is_text(state[1], {"<", ">", "|"}), "has an unknown byte order")
    target.order = state[1]


def _values(state: tuple[Any, ...]) -> Any:
    """Return an array's content: state is (1, shape, type, in Fortran's order, content)."""
    _need(len(state) == 5, "has an array with a strange state")
    _, shape, kind, fortran, content = state
    _need(type(shape) is tuple and len(shape) <= MOST_AXES, "has an array without a shape")
    _need(all(type(size) is int and size >= 0 for size in shape), "has an array without sizes")
    _need(type(kind) is _Type and type(fortran) is bool, "has an array without a type")
    count = math.prod(shape)
    if kind.code == OBJECTS:
        _need(type(content) is list and len(content) == count, "has an array of missing objects")
        return content
    dtype = np.dtype(kind.order + kind.code)
    fits = type(content) is bytes and len(content) == count * dtype.itemsize
    _need(fits, "has an array of other than its size")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _is_text(value: Any, allowed: frozenset[str] | set[str]) -> bool:
    return type(value) is str and value in allowed


def _need(holds: bool, otherwise: str) -> None:
    if not holds:
        raise PickleError(f"a pickle that {otherwise}")
