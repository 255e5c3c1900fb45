"""Numbers out of MATLAB files, held against scipy's writer; whatever is damaged is said so."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from steelyard.api import Label
from steelyard.errors import PrepareError
from steelyard.readers.matlab import MatlabRecordings
from steelyard.readers.matlab_file import MatlabFile

SIGNAL = np.arange(12.0).reshape(4, 3)


def saved(*, compressed: bool = False, **variables: Any) -> bytes:
    file = BytesIO()
    savemat(file, variables, do_compression=compressed)
    return file.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("kind", ["u1", "i2", "u2", "i4", "f4", "f8"])
def test_numbers_of_a_structure_are_read_in_their_shape(kind: str, compressed: bool) -> None:
    content = saved(compressed=compressed, bearing={"gs": SIGNAL.astype(kind), "sr": 48828})

    file = MatlabFile(content, "a.mat")

    assert np.array_equal(file.numbers("bearing.gs"), SIGNAL)
    assert file.numbers("bearing.sr").tolist() == [[48828.0]]


def test_a_variable_of_its_own_is_read_without_a_structure() -> None:
    assert MatlabFile(saved(x=SIGNAL, y=2), "a.mat").numbers("x").shape == (4, 3)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("other", "no 'other'; there is 'cell', 'text', 'many', 'one'"),
        ("one.other", "no 'one.other'; there is 'inner'"),
        ("one.inner.deeper", "no 'one.inner.deeper'; there is nothing"),
        ("one", "'one' is a structure, expected real numbers"),
        ("text", "'text' is text, expected real numbers"),
        ("cell", "'cell' is a cell array, expected real numbers"),
        ("many", "'many' is complex, expected real numbers"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(path: str, said: str) -> None:
    cell = np.empty(2, object)
    cell[:] = [1, "a"]
    content = saved(cell=cell, text="abc", many=np.array([1j]), one={"inner": 1})

    with pytest.raises(PrepareError) as raised:
        MatlabFile(content, "a.mat").numbers(path)

    assert said in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"\x89HDF", bytes(200)])
def test_another_format_is_named(content: bytes) -> None:
    with pytest.raises(PrepareError, match=r"a\.mat: not a MATLAB 5 file; save it with -v6 or -v7"):
        MatlabFile(content, "a.mat")


GOOD = saved(compressed=False, bearing={"gs": SIGNAL, "sr": 48828})
PACKED = saved(compressed=True, bearing={"gs": SIGNAL, "sr": 48828})


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([GOOD, PACKED]), st.integers(0, len(GOOD)), st.binary(max_size=8))
def test_a_damaged_file_ends_in_one_message(content: bytes, at: int, put: bytes) -> None:
    damaged = content[:at] + put + content[at + len(put) :]

    for bad in (damaged, damaged[:at]):
        try:
            MatlabFile(bad, "a.mat").numbers("bearing.gs")
        except PrepareError as error:
            assert "a.mat" in str(error)  # noqa: PT017  # either outcome is fine, no other error is


LABELS = [Label(id="normal", words="no fault"), Label(id="inner", words="inner race")]
OPTIONS: dict[str, Any] = {
    "signal": "b.gs", "rate": "b.sr", "rate_hz": 100.0, "window_s": 0.5, "prefix": "w",
    "labels": {"base": "normal", "Inner": "inner"},
}  # fmt: skip


def folder(tmp_path: Path, sample_rate: int = 200, size: int = 500) -> Path:
    for part, name in (("train", "base_1"), ("test", "Inner_2")):
        (tmp_path / part).mkdir()
        content = saved(b={"gs": np.ones((size, 1)), "sr": sample_rate})
        (tmp_path / part / f"{name}.mat").write_bytes(content)
    return tmp_path


def test_a_window_is_an_item_and_a_file_a_group(tmp_path: Path) -> None:
    found = MatlabRecordings().read_arrays({"data": folder(tmp_path)}, OPTIONS, LABELS)

    # 500 samples at 200 Hz, less the filter's 128, are 187 at 100 Hz: three windows of 50.
    assert [(i.id, i.label, i.group, i.fold) for i in found.items][2:4] == [
        ("w-base_1-0002", "normal", "base_1", None),
        ("w-Inner_2-0000", "inner", "Inner_2", 0),
    ]
    assert {(a.shape, a.dtype.str) for a in found.arrays} == {((50,), "<f4")}
    assert len(found.items) == 6


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"labels": {"base": "normal"}}, "Inner_2.mat: begins with none of 'base'"),
        ({"labels": {"base": "outer"}}, "reader.options.labels: 'outer' is no label of the task"),
        ({"rate_hz": 150.0}, "base_1.mat: sampled at 200 Hz, no multiple of rate_hz = 150"),
        ({"train": "nowhere"}, "data: nowhere: no *.mat file there"),
        ({"signal": "b.sr"}, "a recording of 1 samples, shorter than the filter"),
        ({"window": 3}, "reader.options.window: not an option of this reader"),
    ],
)
def test_recordings_that_are_not_as_said_are_refused(
    tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(PrepareError) as raised:
        MatlabRecordings().read_arrays({"data": folder(tmp_path)}, {**OPTIONS, **options}, LABELS)

    assert said in str(raised.value)
