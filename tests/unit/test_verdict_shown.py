"""Verdicts as they are printed: one line under a table, a table of pairs, JSON; hostile names."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from rich.console import Console
from tests.unit.verdicts import (
    answered,
    duel,
    judged,
    large,
    load,
    marks,
    run,
    small,
)

from steelyard import store
from steelyard.cli.verdict import command
from steelyard.record_file import encode
from steelyard.report import formats, markdown, pairs, table, verdicts
from steelyard.report.rows import TaskTable, tables
from steelyard.verdict import RULE

HOSTILE = "a|b<script>[red]x[/red]`*_\x1b[31m\u202e\n# =1"


def printed(shown: list[TaskTable], width: int = 200, *, terminal: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, no_color=True, _environ={})
    table.show(shown, console)
    return out.getvalue()


def shown_tables() -> list[TaskTable]:
    ours, theirs = marks(25, 5, 100)
    answers = {"mini": answered(ours), "giant": answered(theirs)}
    (made,) = tables([run(small(), large())], load(answers))
    return [replace(made, verdict=duel(25, 5, 100, expectation="small"))]


def test_the_verdict_and_the_rule_stand_under_the_table() -> None:
    for terminal in (False, True):
        text = printed(shown_tables(), terminal=terminal)

        assert "verdict: large wins: giant@int8 is 20.0 points [9.6, 29.6] better than" in text
        assert "(expected beforehand: small)" in " ".join(text.split())
        assert RULE[:60] in text


def test_the_verdict_stands_in_the_markdown_and_in_the_json() -> None:
    text = markdown.text(shown_tables())
    (task,) = json.loads(formats.json_text(shown_tables()))["tasks"]

    assert "\n**Verdict:** large wins: giant@int8 is 20.0 points" in text
    assert task["verdict"]["outcome"] == "loses"
    assert task["verdict"]["pairs"][0]["score"]["n"] == 100


def test_a_table_without_a_verdict_has_no_rule() -> None:
    (made,) = shown_tables()

    assert "verdict" not in printed([replace(made, verdict=None)])


def test_the_pairs_are_a_table_with_their_figures() -> None:
    text = table.plain(pairs.sheet(duel(25, 5, 100)))

    (row,) = [line for line in text.splitlines() if line.startswith("large wins")]
    assert "worse -20.0 points [-29.6, -9.6] n=100" in row
    assert row.split()[-3:] == ["100", "[100,100]", "50"] or row.split()[-2:] == ["50", "50"]
    assert "  energy: not measured\n" in text
    titles = text.splitlines()[1]
    for title in ("detectable from", "times less time (p50)", "times less memory", "times smaller"):
        assert title in titles


def test_what_keeps_up_is_called_not_worse_from_whichever_side_it_is_said() -> None:
    ours = table.plain(pairs.sheet(duel(10, 12, 2000)))
    # The small one needs more and is not shown to keep up: the large one wins by keeping up.
    dear, cheap = small(p50_ns=100_000, peak=5_000), large(p50_ns=1_000, peak=100)
    theirs = duel(8, 4, 500, dear, cheap)
    level = duel(0, 0, 4000, dear, cheap)

    assert "not worse +0.1 points [-0.4, 0.6] n=2000" in ours
    assert "large not worse -0.8 points [-2.2, 0.6] n=500" in table.plain(pairs.sheet(theirs))
    assert "  not worse +0.0 points" in table.plain(pairs.sheet(level))
    assert "same" not in ours.splitlines()[2]
    assert theirs.reason.startswith(
        "giant@int8 is shown to be at most 1 point worse than mini@int8 "
        "(measured: 0.8 points better [-0.6, 2.2] on the same 500 items)"
    )


def test_a_difference_to_the_worse_is_said_with_its_own_interval() -> None:
    made = duel(12, 0, 4000)

    assert "(measured: 0.3 points worse [0.1, 0.5] on the same 4000 items)" in made.reason


def test_a_note_of_all_tasks_is_said_once() -> None:
    one, other = duel(5, 25, 100), duel(25, 5, 100, small(threads=1), large(threads=2))

    sheets, common = pairs.sheets([one, other])

    assert common == ("all tasks: energy: not measured",)
    assert [sheet.notes for sheet in sheets] == [
        (),
        ("the small model ran on 1 thread, the large one on 2 threads",),
    ]
    assert pairs.sheets([one])[1] == ()


def test_hostile_names_are_harmless_in_a_verdict() -> None:
    ours, theirs = marks(25, 5, 100)
    answers = {HOSTILE: answered(ours), "giant": answered(theirs)}
    killed = large("titan", outcome="failed", reason=HOSTILE)

    sheet = pairs.sheet(judged(answers, small(HOSTILE), large(), killed))

    for text in (table.plain(sheet), markdown.section(sheet)):
        assert "\x1b" not in text
        assert "\u202e" not in text
    section = markdown.section(sheet)
    assert "<script" not in section
    rows = [line for line in section.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in rows}) == 1


def test_the_json_has_the_rule_and_all_of_each_verdict() -> None:
    whole = json.loads(verdicts.json_text([duel(5, 25, 100)]))

    assert whole["rule"] == RULE
    (task,) = whole["tasks"]
    assert (task["outcome"], task["by"]["model"]) == ("wins", "mini")
    assert {one["quantity"] for one in task["pairs"][0]["resources"]} == {
        "latency_p50",
        "memory_peak",
        "size",
        "energy",
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a run folder of a specialist and a generalist with their predictions."""
    ours, theirs = marks(5, 25, 100)
    kept = [
        replace(one, predictions_sha256=store.write_predictions(tmp_path, answered(found)))
        for one, found in ((small(), ours), (large(), theirs))
    ]
    (tmp_path / "cpu-1t.json").write_bytes(encode(run(*kept)))
    return tmp_path


def test_the_command_prints_every_format(folder: Path) -> None:
    shown = {
        form: CliRunner().invoke(command, [str(folder), "-f", form], standalone_mode=False)
        for form in ("table", "markdown", "json")
    }

    assert {form: one.return_value for form, one in shown.items()} == dict.fromkeys(shown, 0)
    assert "verdict: small wins: mini@int8 is 20.0 points" in shown["table"].output
    assert "**Verdict:** small wins: mini@int8" in shown["markdown"].output
    assert json.loads(shown["json"].output)["tasks"][0]["outcome"] == "wins"


def test_the_command_says_when_there_is_nothing_to_compare(folder: Path) -> None:
    alone = folder / "alone"
    alone.mkdir()
    shutil.copytree(folder / "predictions", alone / "predictions")
    (alone / "cpu-1t.json").write_bytes(encode(run(small(outcome="ok", predictions_sha256=None))))

    made = CliRunner().invoke(command, [str(alone)], standalone_mode=False)

    assert made.return_value == 3
    assert "spam: undecided: no generalist was run on this task." in made.output


def test_the_command_refuses_a_task_that_is_not_there(folder: Path) -> None:
    made = CliRunner().invoke(command, [str(folder), "-k", "nothing"])

    assert made.exit_code == 2
    assert "no task of these runs has nothing in its id" in made.output
