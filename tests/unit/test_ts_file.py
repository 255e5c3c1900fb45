"""The .ts format: what stands in a line, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.api import Label
from steelyard.errors import PrepareError
from steelyard.readers.ts_file import TsSeries, cases

HEAD = "# about\n@problemName x\n@classLabel true 0 1\n@data\n"
LABELS = [Label(id="fan", words="fan"), Label(id="1", words="heater")]


def test_series_of_any_length_keep_their_values_and_class() -> None:
    found = list(cases(HEAD + "1.5,2:0\n\n-3e-2:1\n", "a.ts"))

    assert [(case.series.tolist(), case.label) for case in found] == [
        ([1.5, 2.0], "0"),
        ([pytest.approx(-0.03)], "1"),
    ]


def test_dimensions_become_columns() -> None:
    (case,) = cases(HEAD + "1,2,3:4,5,6:0", "a.ts")

    assert case.series.tolist() == [[1, 4], [2, 5], [3, 6]]
    assert case.series.dtype == np.dtype("<f4")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1,2", "a.ts:5: no class after the last colon"),
        ("1,2: ", "a.ts:5: no class after the last colon"),
        ("1,?:0", "a.ts:5: could not convert string to float: '?'; missing values are not read"),
        ("1,nan:0", "a.ts:5: a value is missing or not finite"),
        ("1e99:0", "a.ts:5: a value is missing or not finite"),
        ("1,2:3:0", "a.ts:5: dimensions of different lengths are not read"),
        ("(0,1),(1,2):0", "a.ts:5: values with time stamps are not read"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_a_wrong_line_is_named(line: str, said: str) -> None:
    with pytest.raises(PrepareError) as raised:
        list(cases(HEAD + line, "a.ts"))

    assert str(raised.value) == said


@pytest.mark.parametrize("text", ["1,2:0", "@relation x\n", "# only talk\n"])
def test_another_format_is_named(text: str) -> None:
    with pytest.raises(PrepareError, match=r"not a \.ts file"):
        list(cases(text, "a.ts"))


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_what_is_written_is_read(values: list[float]) -> None:
    (case,) = cases(HEAD + ",".join(map(repr, values)) + ":0", "a.ts")

    assert case.series.tolist() == values


def read(tmp_path: Path, **options: Any) -> Any:
    paths = {name: tmp_path / name for name in ("train.ts", "test.ts")}
    paths["train.ts"].write_text(HEAD + "1,2:0\n3:1\n")
    paths["test.ts"].write_text(HEAD + "4:1\n")
    given = {"train": "train.ts", "test": "test.ts", "prefix": "p", **options}
    return TsSeries().read_arrays(paths, given, LABELS)


def test_class_values_get_the_labels_of_the_card(tmp_path: Path) -> None:
    found = read(tmp_path, labels={"0": "fan"})

    assert [(i.id, i.label, i.fold) for i in found.items] == [
        ("p-train-0001", "fan", None),
        ("p-train-0002", "1", None),
        ("p-test-0001", "1", 0),
    ]


def test_a_class_without_a_label_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match=r"train\.ts: label '0' is not a label of the task"):
        read(tmp_path)
