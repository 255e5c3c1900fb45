from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.api import ArrayItems, ArrayReader
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.hourly import Hourly, HourlyOptions, in_words, windows

OPTIONS: dict[str, Option] = {
    "time": "ts", "value": "y", "history": 4, "horizon": 2, "tests": 2, "stride": 3, "prefix": "p",
}  # fmt: skip
START = datetime(2012, 1, 1)  # noqa: DTZ001  # the file's own time


def write(folder: Path, rows: list[str], head: str = "ts,y") -> Path:
    path = folder / "series.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def hours(n: int) -> list[str]:
    return [f"{START + timedelta(hours=i)},{i}.0" for i in range(n)]


def read(path: Path, **changes: Option) -> ArrayItems:
    return Hourly().read_arrays({"series.csv": path}, {**OPTIONS, **changes}, ())


def test_a_history_is_followed_by_what_is_to_be_forecast(tmp_path: Path) -> None:
    found = read(write(tmp_path, hours(15)))

    # 15 hours: tests forecast hours 11-12 and 13-14, training ends before hour 11.
    assert [item.label for item in found.items if item.fold == 0] == ["[11.0,12.0]", "[13.0,14.0]"]
    assert [item.label for item in found.items if item.fold is None] == ["[6.0,7.0]", "[9.0,10.0]"]
    assert [list(array) for array in found.arrays] == [
        [2, 3, 4, 5], [5, 6, 7, 8], [7, 8, 9, 10], [9, 10, 11, 12],
    ]  # fmt: skip
    assert found.arrays[0].dtype == np.dtype("<f4")


def test_ids_are_the_first_hour_and_sort_by_time(tmp_path: Path) -> None:
    ids = [item.id for item in read(write(tmp_path, hours(15))).items]

    assert ids == ["p-2012-01-01T06", "p-2012-01-01T09", "p-2012-01-01T11", "p-2012-01-01T13"]
    assert ids == sorted(ids)


def test_the_text_says_the_history_in_few_digits_a_day_a_line() -> None:
    assert in_words([1234.56, 12.3456, *range(22), 7.0]).split("\n") == [
        "1235 12.35 " + " ".join(map(str, range(22))),
        "7",
    ]


def test_every_item_has_a_text_and_an_array(tmp_path: Path) -> None:
    found = read(write(tmp_path, hours(15)))

    assert found.items[0].text == "2 3 4 5"
    assert isinstance(Hourly(), ArrayReader)


@given(
    hours=st.integers(10, 300), history=st.integers(1, 30), horizon=st.integers(1, 20),
    tests=st.integers(1, 5), stride=st.integers(1, 10),
)  # fmt: skip
def test_no_train_item_forecasts_an_hour_of_the_test_part(
    hours: int, history: int, horizon: int, tests: int, stride: int
) -> None:
    how = HourlyOptions(
        time="ts", value="y", history=history, horizon=horizon, tests=tests, stride=stride
    )
    try:
        made = windows(hours, how)
    except PrepareError:
        assert hours < history + (tests + 1) * horizon
        return

    first_tested = min(start for start, tested in made if tested)
    assert all(start + horizon <= first_tested for start, tested in made if not tested)
    assert all(start >= history for start, _ in made)
    assert max(start for start, _ in made) + horizon == hours
    assert len({start for start, _ in made}) == len(made)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"{START + timedelta(hours=15)},x", "could not convert string to float"),
        (f"{START + timedelta(hours=15)},nan", "expected a finite number"),
        (f"{START + timedelta(hours=16)},1", "expected one hour after 2012-01-01 14:00:00"),
        ("yesterday,1", "Invalid isoformat string"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path: Path, row: str, reason: str) -> None:
    path = write(tmp_path, [*hours(15), row])

    with pytest.raises(PrepareError, match=rf"series.csv:17: .*{reason}"):
        read(path)


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match="no column 'load'; there is ts, y"):
        read(write(tmp_path, hours(15)), value="load")


def test_too_short_a_series_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match="9 hours are too few"):
        read(write(tmp_path, hours(9)))


@pytest.mark.parametrize("changes", [{"history": 0}, {"stride": "1"}, {"column": "y"}])
def test_options_are_checked(tmp_path: Path, changes: dict[str, Option]) -> None:
    with pytest.raises(PrepareError, match=r"reader\.options"):
        read(write(tmp_path, hours(15)), **changes)
