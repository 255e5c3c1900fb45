"""Verdicts in flat tables: beside each row of the report, and one row a pair."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from tests.unit.verdicts import answered, duel, judged, large, load, marks, run, small

from steelyard import store
from steelyard.cli.verdict import command
from steelyard.record import Cell
from steelyard.record_file import encode
from steelyard.report import formats
from steelyard.report.paired_csv import csv_text
from steelyard.report.rows import TaskTable, tables
from steelyard.verdict import TaskVerdict


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def table(verdict: TaskVerdict | None) -> TaskTable:
    ours, theirs = marks(25, 5, 100)
    answers = {"mini": answered(ours), "giant": answered(theirs)}
    (made,) = tables([run(small(), large())], load(answers))
    return replace(made, verdict=verdict)


def test_each_row_of_the_report_repeats_its_tasks_verdict_in_the_last_columns() -> None:
    bare, judged_one = (read(formats.csv_text([table(one)])) for one in (None, duel(25, 5, 100)))

    assert [row["verdict"] for row in judged_one] == ["loses", "loses"]
    assert {row["verdict_by"] for row in judged_one} == {"spam/giant@int8/cpu-1t"}
    assert judged_one[0]["verdict_reason"].startswith("giant@int8 is 20.0 points [9.6, 29.6] bett")
    assert judged_one[0]["verdict_missing"] == ""
    assert list(bare[0]) == list(judged_one[0])
    assert list(bare[0])[-4:] == ["verdict", "verdict_by", "verdict_reason", "verdict_missing"]
    assert bare[0]["verdict"] == ""
    assert bare[0]["verdict_missing"] == "no specialist stands beside a generalist"
    # All else is as it was: a verdict adds no line and changes no other column.
    for one, other in zip(bare, judged_one, strict=True):
        assert {k: v for k, v in one.items() if not k.startswith("verdict")} == {
            k: v for k, v in other.items() if not k.startswith("verdict")
        }


def test_a_pair_is_a_row_with_its_figures() -> None:
    (row,) = read(csv_text([duel(25, 5, 100)]))

    assert (row["small"], row["large_model"]) == ("spam/mini@int8/cpu-1t", "giant")
    assert (row["outcome"], row["score_status"], row["metric"]) == ("loses", "worse", "accuracy")
    assert float(row["score_difference"]) == pytest.approx(-0.2)
    assert float(row["score_large"]) - float(row["score_small"]) == pytest.approx(0.2)
    assert (row["score_n"], row["score_missing"], row["same_host"]) == ("100", "", "true")
    assert float(row["latency_p50_ratio"]) == pytest.approx(100.0)
    assert (row["energy_ratio"], row["energy_missing"]) == ("", "it was not measured")
    assert (row["task_verdict"], row["task_verdict_by"]) == ("loses", "spam/giant@int8/cpu-1t")


def test_every_pair_has_a_row_and_so_has_a_task_without_any() -> None:
    two = judged(
        {name: answered([True] * 50) for name in ("mini", "midi", "giant")},
        small(),
        small("midi"),
        large(),
    )
    lone = TaskVerdict(task="alone", outcome="undecided", reason="no generalist was run")

    rows = read(csv_text([two, lone]))

    assert [row["task"] for row in rows] == ["spam", "spam", "alone"]
    assert [row["small_model"] for row in rows] == ["mini", "midi", ""]
    assert (rows[2]["outcome"], rows[2]["task_verdict"]) == ("", "undecided")
    assert rows[2]["task_verdict_reason"] == "no generalist was run"
    assert csv_text([]) == ""


def test_a_hostile_name_is_no_formula() -> None:
    formula = '=HYPERLINK("http://example.org")'
    made = duel(25, 5, 100)
    (pair,) = made.pairs
    cell = Cell(task=formula, model=formula, variant="a,b\n", device='"')
    text = csv_text([replace(made, task=formula, pairs=(replace(pair, small=cell),))])

    (row,) = read(text)
    assert row["task"] == f"'{formula}"
    assert row["small_model"] == f"'{formula}"
    assert (row["small_variant"], row["small_device"]) == ("a,b\n", '"')


def test_the_command_writes_the_pairs_and_nothing_else(tmp_path: Path) -> None:
    ours, theirs = marks(25, 5, 100)
    records = []
    for record, right in ((small(), ours), (large(), theirs)):
        digest = store.write_predictions(tmp_path, answered(right))
        records.append(replace(record, predictions_sha256=digest))
    (tmp_path / "cpu-1t.json").write_bytes(encode(run(*records)))

    done = CliRunner().invoke(command, [str(tmp_path), "-f", "csv"], standalone_mode=False)

    assert done.return_value == 0
    (row,) = read(done.stdout)
    assert row["outcome"] == "loses"
