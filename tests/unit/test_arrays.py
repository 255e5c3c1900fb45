"""Arrays are kept byte for byte, read row by row, and refused where they are not whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import arrays
from steelyard.arrays import ArrayError, Arrays


@given(
    st.sampled_from(arrays.DTYPES),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), min_size=1, max_size=6),
)
def test_every_row_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, dtype: str, shapes: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("arrays")
    kept = [np.arange(a * b, dtype=dtype).reshape(a, b) for a, b in shapes]

    arrays.write(folder, kept)
    found = Arrays(folder)

    assert len(found) == len(kept)
    for row, array in enumerate(kept):
        assert found[row].dtype == array.dtype
        assert np.array_equal(found[row], array)
        assert arrays.sha256(found[row]) == arrays.sha256(array)


def test_a_row_is_its_readers_own(tmp_path: Path) -> None:
    arrays.write(tmp_path, [np.zeros(3, "<f4")])
    found = Arrays(tmp_path)

    found[0][:] = 7

    assert found[0].tolist() == [0, 0, 0]


def test_type_and_shape_are_part_of_an_arrays_identity() -> None:
    zeros = np.zeros((2, 2), "<f4")

    others = [zeros.reshape(4), np.zeros((2, 2), "<i4"), zeros + 1]

    assert len({arrays.sha256(array) for array in [zeros, *others]}) == 4
    assert arrays.sha256(np.asfortranarray(zeros)) == arrays.sha256(zeros)


@pytest.mark.parametrize("row", [-1, 2])
def test_a_row_that_is_not_there_is_refused(tmp_path: Path, row: int) -> None:
    arrays.write(tmp_path, [np.zeros(3, "<f4"), np.ones(2, "<f4")])
    found = Arrays(tmp_path)

    with pytest.raises(ArrayError, match=f"row {row} of 2 arrays"):
        found[row]


def test_mixed_types_objects_and_nothing_are_refused(tmp_path: Path) -> None:
    for wrong in ([np.zeros(1, "<f4"), np.zeros(1, "<i4")], [], [np.array([None])]):
        with pytest.raises(ArrayError):
            arrays.write(tmp_path, wrong)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    arrays.write(tmp_path, [np.zeros(3, "<f4")])
    (tmp_path / arrays.DATA).write_bytes(b"\0" * 11)

    with pytest.raises(ArrayError, match="expected 12 bytes, found 11; prepare the task again"):
        Arrays(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", '{"dtype": "|O", "shapes": [[1]]}', "[1, 2"])
def test_a_damaged_index_is_refused(tmp_path: Path, text: str) -> None:
    arrays.write(tmp_path, [np.zeros(3, "<f4")])
    (tmp_path / arrays.INDEX).write_text(text)

    with pytest.raises(ArrayError):
        Arrays(tmp_path)
