"""What is read for a history, and what ends it with exit code 3."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit import builders, historic
from tests.unit.historic import CELL, kept, run_file

from steelyard.errors import HistoryError, SteelyardError, StoreError
from steelyard.history.reading import read
from steelyard.record_file import encode
from steelyard.store import Journal


def refused(*sources: Path, cell: str = CELL) -> SteelyardError:
    with pytest.raises(SteelyardError) as caught:
        read(sources, cell)
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)
    return caught.value


def test_run_files_are_found_at_any_depth_and_read_once(tmp_path: Path) -> None:
    historic.write(tmp_path / "device" / "local", historic.series([1, 2, 3]))

    found = read([tmp_path, tmp_path / "device", tmp_path / "device/local/run-000"], CELL)

    assert sorted(one.run for one in found.kept) == ["run-000", "run-001", "run-002"]
    assert found.files == 3


def test_other_cells_are_left_out(tmp_path: Path) -> None:
    other = historic.record(0, 5, builders.cell(model="large"))
    (tmp_path / "a.json").write_bytes(encode(run_file(kept(0), other)))

    assert [one.record.cell.id for one in read([tmp_path], CELL).kept] == [CELL]


def test_a_run_that_was_cut_short_counts_with_what_it_finished(tmp_path: Path) -> None:
    Journal.start(tmp_path / "cut", builders.header(run="cut")).append(historic.record(0, 7))

    assert [one.run for one in read([tmp_path], CELL).kept] == ["cut"]


def test_the_device_may_be_left_out_where_there_is_one(tmp_path: Path) -> None:
    historic.write(tmp_path, [kept(0)])
    assert read([tmp_path], "spam/tiny@int8").cell == CELL

    other = historic.record(0, 5, builders.cell(device="cpu-2t"))
    (tmp_path / "b.json").write_bytes(encode(run_file(kept(0), other)))
    assert "on several devices" in str(refused(tmp_path, cell="spam/tiny@int8"))


def test_a_renamed_cell_names_the_nearest(tmp_path: Path) -> None:
    historic.write(tmp_path, [kept(0)])

    said = str(refused(tmp_path, cell="spam/tinier@int8/cpu-1t"))

    assert "no run has this cell; was it renamed? the nearest: spam/tiny@int8/cpu-1t" in said


def test_no_run_at_all_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "audit.json").write_text('{"schema": 1, "arm": "x"}')

    assert isinstance(refused(tmp_path), HistoryError)
    assert "no run files" in str(refused(tmp_path))


def test_other_json_beside_runs_is_counted_and_left_out(tmp_path: Path) -> None:
    historic.write(tmp_path, [kept(0)])
    (tmp_path / "audit.json").write_text('{"schema": 1, "arm": "x"}')

    assert read([tmp_path], CELL).others == 1
    assert "not a steelyard run file" in str(refused(tmp_path / "audit.json"))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (b"", "empty"),
        (b'{"schema": 2, "run"', "damaged"),
        (b'{"schema": 99, "run": "x", "records": []}', "schema 99, this steelyard reads"),
        (b'{"schema": 2, "run": "x", "records": [{}]}', "not a steelyard run file"),
    ],
)
def test_a_damaged_or_newer_file_is_named(tmp_path: Path, damage: bytes, said: str) -> None:
    historic.write(tmp_path, [kept(0)])
    (tmp_path / "bad.json").write_bytes(damage)

    error = refused(tmp_path)

    assert isinstance(error, StoreError)
    assert str(error).startswith(f"{tmp_path / 'bad.json'}: ")
    assert said in str(error)


def test_a_damaged_record_of_the_cell_is_no_missing_one(tmp_path: Path) -> None:
    data = encode(run_file(kept(0))).replace(b'"outcome":"ok"', b'"outcome":"fine"')
    (tmp_path / "bad.json").write_bytes(data)

    assert "not a steelyard run file" in str(refused(tmp_path))
