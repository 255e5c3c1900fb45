"""The published records have a cost, in every form that the command prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from steelyard import cost, store
from steelyard.cli.cost import command
from steelyard.cost import Workload
from steelyard.errors import UnknownNameError

RUN = Path(__file__).resolve().parents[2] / "results" / "default"
pytestmark = pytest.mark.skipif(
    not RUN.is_dir(), reason="results/ is not beside an installed wheel's tests"
)


def told(*options: str) -> Result:
    return CliRunner().invoke(command, [str(RUN), *options], catch_exceptions=False)


def test_every_published_record_that_answered_has_a_cost_or_a_reason() -> None:
    document = json.loads(told("-f", "json").output)

    tasks = {record.cell.task for run in store.read_runs(RUN) for record in run.records}
    assert {task["task"] for task in document["tasks"]} == tasks
    for task in document["tasks"]:
        for row in task["rows"]:
            assert (row["absent"] is None) == (row["amount"] is not None)
            assert row["amount"] is None or row["amount"] > 0
        for pair in task["versus"]:
            assert pair["lowest"] <= pair["ratio"] <= pair["highest"]
            sizes = [
                abs(effect["ratio_high"] / effect["ratio_low"] - 1)
                for effect in pair["sensitivity"]
            ]
            assert sizes


def test_seconds_and_correct_answers_are_those_of_the_records() -> None:
    for run in store.read_runs(RUN):
        for record in run.records:
            work = cost.workload(record, run.host)
            score = record.score("accuracy")
            if isinstance(work, Workload) and score is not None:
                assert work.correct == (score.value or None)
                assert work.n == score.n


def test_the_table_names_prices_and_assumptions() -> None:
    text = told("--task", "spam", "--volume", "20000/day", "--horizon", "12").output

    assert text.startswith("spam: 20,000 calls a day for 12 months, in EUR\n")
    assert "assumed, not known: labelling.minutes_a_label" in text
    assert "from a source: labelling.wage_an_hour = 33.5 EUR" in text
    assert "| spam" not in text
    assert told("--task", "spam", "-f", "markdown").output.startswith("### spam: 5,000 calls")


def test_a_task_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(UnknownNameError, match="no task 'tea' in these runs; there are: intent"):
        told("--task", "tea")
