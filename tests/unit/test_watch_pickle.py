"""A pickle is read as data or refused; nothing it names is ever looked up."""

from __future__ import annotations

import pickle
import pickletools
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.api import Label
from steelyard.errors import PrepareError
from steelyard.readers.watch import WatchRecordings, recordings
from steelyard.readers.watch_pickle import Array, PickleError, load


def pickled(value: Any) -> bytes:
    """Return what Python 2 and the file at hand use: protocol 2."""
    return pickle.dumps(value, protocol=2)


@pytest.mark.parametrize("value", [
    1, 255, 70_000, -5, None, True, "text", "naïve", [1, [2]], (1, (2, 3)), {"a": [1], "b": {}}, [],
    (),
    {"twice": [["shared"]] * 3},
])  # fmt: skip
def test_plain_data_comes_back_as_it_was(value: Any) -> None:
    assert load(pickled(value)) == value


@pytest.mark.parametrize("code", ["<f8", ">f4", "<i8", "|u1", "<u2", "|b1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_keep_type_shape_and_values(code: str, order: str) -> None:
    array = np.array(np.arange(12).reshape(3, 4) % 2, dtype=code, order=order)  # type: ignore[call-overload]

    found = load(pickled({"x": array}))["x"]

    assert isinstance(found, Array)
    assert found.values.dtype == array.dtype
    assert np.array_equal(found.values, array)


def test_an_array_of_objects_is_the_list_of_them() -> None:
    array = np.empty(2, object)
    array[:] = [{"a": 1}, "b"]

    assert load(pickled(array)).values == [{"a": 1}, "b"]


class Calls:
    """An object whose pickle calls a function when it is unpickled."""

    def __init__(self, *reduced: Any) -> None:
        self.reduced = reduced

    def __reduce__(self) -> Any:
        return self.reduced


def touch(path: str) -> None:
    Path(path).touch()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_calls_something_is_refused_and_calls_nothing(
    tmp_path: Path, protocol: int
) -> None:
    mark = tmp_path / "called"
    hostile = pickle.dumps([Calls(touch, (str(mark),))], protocol=protocol)

    with pytest.raises(PickleError):
        load(hostile)

    assert not mark.exists()
    assert pickle.loads(hostile)  # noqa: S301  # our own: it would have called
    assert mark.exists()


@pytest.mark.parametrize(
    "value",
    [
        np.dtype([("a", "f8")]),
        np.array([("a", 1.0)], dtype=[("n", "U1"), ("x", "f8")]),
        np.array(["text"]),
        np.array([1j]),
        np.array(["2020-01-01"], "M8[D]"),
        np.float64(1),
        {1: "a key that is no text"},
        1.5,
        2**40,
        {1, 2},
        b"",
        print,
        Calls(dict, (), None, iter([1])),
    ],
)
def test_whatever_is_not_needed_is_refused(value: Any) -> None:
    with pytest.raises(PickleError):
        load(pickled(value))


ENCODE = b"c_codecs\nencode\n"
SHELL = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"


@pytest.mark.parametrize(
    "body",
    [
        b"cos\nsystem\nX\x02\x00\x00\x00id\x85R",
        b"cbuiltins\neval\nX\x01\x00\x00\x001\x85R",
        b"cnumpy\nload\nX\x01\x00\x00\x00a\x85R",
        b"X\x02\x00\x00\x00osX\x06\x00\x00\x00system\x93",
        b"(X\x02\x00\x00\x00idios\nsystem\n",
        b"(cos\nsystem\nX\x02\x00\x00\x00ido",
        b"X\x04\x00\x00\x00spam\x85Q",
        b"\x82\x01",
        b"K\x01K\x02R",
        ENCODE + b"X\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R",
        ENCODE + ENCODE + b"X\x06\x00\x00\x00latin1\x86R",
        ENCODE + b"K\x01\x85b",
        b"cnumpy\nndarray\n)R",
        b"]K\x01\x85b",
        b"K\x01a",
        b"K\x01K\x02s",
        b"h\x07",
        b"t",
        b"(K\x01",
        b"",
        b"S'\\q'\n",
        b"I" + b"9" * 5000 + b"\n",
        SHELL,
    ],
)
def test_forged_operations_are_refused(body: bytes) -> None:
    with pytest.raises(PickleError):
        load(b"\x80\x02" + body + b".")


def test_a_small_pickle_cannot_ask_for_much_memory() -> None:
    text = b"X\xe8\x03\x00\x00" + b"a" * 1000 + b"q\x00"
    again = ENCODE + b"h\x00X\x06\x00\x00\x00latin1\x86R0"

    with pytest.raises(PickleError):
        load(b"\x80\x02" + text + again * 3 + b"K\x01.")


@pytest.mark.parametrize("shape", [(3,), (2, 1), (-1, -2), (2**40, 2**40), (True,), (1.0,)])
def test_an_array_must_have_the_size_that_it_says(shape: tuple[Any, ...]) -> None:
    hostile = pickled(np.arange(4.0)).replace(
        pickle.dumps((4,), 2)[2:-3], pickle.dumps(shape, 2)[2:-1].split(b"q")[0]
    )

    with pytest.raises(PickleError):
        load(hostile)


def test_what_follows_the_end_is_refused() -> None:
    with pytest.raises(PickleError, match="1 bytes after the end"):
        load(pickled(1) + b".")


def test_a_list_that_holds_itself_is_no_trouble() -> None:
    loop: list[Any] = []
    loop.append(loop)

    found = load(pickled(loop))

    assert found[0] is found


OPERATIONS = st.one_of(
    st.sampled_from([operation.code.encode("latin1") for operation in pickletools.opcodes]),
    st.sampled_from(
        [ENCODE, SHELL, b"K\x01", b"X\x01\x00\x00\x00a", b"q\x00", b"h\x00", b"(", b"t"]
    ),
    st.binary(max_size=4),
)


@settings(max_examples=500, deadline=None)
@given(st.lists(OPERATIONS, max_size=30))
def test_any_operations_give_data_or_one_error(operations: list[bytes]) -> None:
    try:
        found = load(b"\x80\x02" + b"".join(operations) + b".")
    except PickleError:
        return
    assert type(found).__module__ in {"builtins", "steelyard.readers.watch_pickle"}


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_pickle_gives_data_or_one_error(data: st.DataObject) -> None:
    whole = bytearray(pickled({"x": np.arange(6.0).reshape(2, 3), "y": [np.arange(3)]}))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(PickleError):
        load(bytes(whole))


def held(**changes: Any) -> dict[str, Any]:
    signals = np.empty(2, object)
    signals[:] = [np.ones((5, 6)), np.zeros((4, 6))]
    return {
        "X": signals,
        "y": np.array([1, 0]),
        "subject": np.array([3, 7]),
        "y_labels": ["PEN", "ABD"],
        **changes,
    }


def file(value: Any) -> bytes:
    sink = BytesIO()
    header = {"descr": "|O", "fortran_order": False, "shape": ()}
    np.lib.format.write_array_header_1_0(sink, header)
    return sink.getvalue() + pickled(np.array(value, dtype=object))


def test_recordings_have_their_exercise_and_their_person() -> None:
    found = recordings(file(held()), "w.npy")

    assert [signal.shape for signal in found.signals] == [(5, 6), (4, 6)]
    assert found.exercises == ("ABD", "PEN")
    assert found.subjects == ("subject-3", "subject-7")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"X": 1}, "w.npy: X: expected a list"),
        ({"y": np.array([1])}, "w.npy: y: 1 values for 2 recordings"),
        ({"y": np.array([1, 2])}, "w.npy: y: an exercise without a name in y_labels"),
        ({"subject": None}, "w.npy: expected an array of 1 axes and of kind 'iu'"),
        ({"X": [np.full((5, 6), np.nan)] * 2}, "w.npy: a value that is not finite"),
        ({"X": [np.ones(5)] * 2}, "w.npy: expected an array of 2 axes and of kind 'f'"),
    ],
)
def test_recordings_that_are_not_as_expected_are_refused(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(PrepareError) as raised:
        recordings(file(held(**changes)), "w.npy")

    assert str(raised.value) == said


@pytest.mark.parametrize("content", [b"", b"PK", file(held())[:90], b"\x93NUMPY\x02\x00"])
def test_another_file_is_refused(content: bytes) -> None:
    with pytest.raises(PrepareError, match=r"w\.npy: "):
        recordings(content, "w.npy")


def test_a_window_is_an_item_and_a_person_a_group(tmp_path: Path) -> None:
    (tmp_path / "w.npy").write_bytes(file(held()))
    labels = [Label(id=name, words=name) for name in ("PEN", "ABD")]

    found = WatchRecordings().read_arrays(
        {"w.npy": tmp_path / "w.npy"}, {"window": 2, "prefix": "w"}, labels
    )

    assert [(item.id, item.label, item.group) for item in found.items] == [
        ("w-001-000", "ABD", "subject-3"),
        ("w-001-001", "ABD", "subject-3"),
        ("w-002-000", "PEN", "subject-7"),
        ("w-002-001", "PEN", "subject-7"),
    ]
    assert {(array.shape, array.dtype.str) for array in found.arrays} == {((2, 6), "<f4")}
