"""The command line with a real worker on a toy task."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from tests import toy

from steelyard import store
from steelyard.record import RunFile

RUN = ("run", "--cards", "cards")


def only_run(folder: Path) -> RunFile:
    (run,) = store.read_runs(store.latest_run(folder / "results/local"))
    return run


def test_a_run_ends_with_a_table_and_a_record_that_can_be_recomputed(tmp_path: Path) -> None:
    done = toy.call(toy.project(tmp_path), *RUN)

    assert done.returncode == 0, done.stderr
    assert "toy-00" in done.stdout
    (record,) = only_run(tmp_path).records
    assert record.outcome == "ok"
    score = record.score()
    assert score is not None
    assert (score.metric, score.n) == ("accuracy", 3)
    folder = store.latest_run(tmp_path / "results/local")
    kept = store.read_predictions(folder, str(record.predictions_sha256))
    assert sum(p.answer == p.expected for p in kept) / len(kept) == score.value
    quantities = {m.quantity: m for m in record.measurements}
    assert {"latency_infer", "latency_end_to_end", "memory_peak", "load_time"} <= set(quantities)
    assert len(quantities["latency_infer"].values) >= 20


def test_the_run_file_says_where_it_was_made(tmp_path: Path) -> None:
    toy.call(toy.project(tmp_path), *RUN)

    host = only_run(tmp_path).host
    assert host.cores >= 1
    assert host.memory_bytes > 0
    assert "numpy" in host.packages


@pytest.mark.parametrize("form", ["markdown", "csv", "json"])
def test_a_report_is_written_in_every_form(tmp_path: Path, form: str) -> None:
    toy.call(toy.project(tmp_path), *RUN)

    done = toy.call(tmp_path, "report", "-f", form, "--cards", "cards")

    assert done.returncode == 0, done.stderr
    assert "majority" in done.stdout
    if form == "json":
        assert json.loads(done.stdout)["tasks"][0]["task"] == "toy-00"


def test_a_finished_run_resumed_runs_nothing_again(tmp_path: Path) -> None:
    toy.call(toy.project(tmp_path, tasks=2), *RUN)
    before = only_run(tmp_path)

    done = toy.call(tmp_path, *RUN, "--resume")

    assert done.returncode == 0, done.stderr
    assert "2 of 2 cells are finished already" in done.stderr
    assert only_run(tmp_path) == before


def test_a_second_run_recalls_its_answers_says_so_and_asks_again_if_told(tmp_path: Path) -> None:
    toy.call(toy.project(tmp_path), *RUN)
    first = only_run(tmp_path).records[0]

    again = toy.call(tmp_path, *RUN, "-o", "again")
    fresh = toy.call(tmp_path, *RUN, "-o", "fresh", "--fresh")

    (recalled,) = store.read_runs(store.latest_run(tmp_path / "again"))[0].records
    (asked,) = store.read_runs(store.latest_run(tmp_path / "fresh"))[0].records
    assert (first.recalled, recalled.recalled, asked.recalled) == (0, 3, 0)
    assert recalled.scores == first.scores == asked.scores
    assert recalled.predictions_sha256 == first.predictions_sha256
    assert recalled.measurement("load_time") is not None
    assert "all answers are those of the same artefact in an earlier run" in again.stdout
    assert "earlier run" not in fresh.stdout


def test_a_changed_suite_is_not_resumed(tmp_path: Path) -> None:
    toy.call(toy.project(tmp_path), *RUN)
    suite = tmp_path / "bench.toml"
    suite.write_text(suite.read_text().replace("min_calls = 20", "min_calls = 21"))

    done = toy.call(tmp_path, *RUN, "--resume")

    assert done.returncode == 3
    assert "was run from another plan" in done.stderr


def test_a_cell_that_fails_is_a_record_and_the_run_goes_on(tmp_path: Path) -> None:
    toy.project(tmp_path, tasks=2)
    (tmp_path / "cards/tasks/toy-00/toys.csv").write_text("label,text,part\n")

    done = toy.call(tmp_path, *RUN)

    assert done.returncode == 3
    broken, fine = only_run(tmp_path).records
    assert (broken.outcome, fine.outcome) == ("failed", "ok")
    assert broken.reason is not None
    assert "toys.csv" in broken.reason
    assert "failed" in done.stdout


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_cleanly_and_keeps_what_is_finished(
    tmp_path: Path, how: signal.Signals
) -> None:
    with toy.interruptible():
        child = toy.start(toy.project(tmp_path, tasks=8), *RUN)
    assert child.stderr is not None
    for line in child.stderr:
        if line.startswith("[2/8]"):
            break
    child.send_signal(how)
    _, err = child.communicate(timeout=60)

    assert child.returncode == 130, err
    with pytest.raises(ProcessLookupError):
        os.killpg(child.pid, 0)  # no worker outlives the run
    assert "--resume goes on" in err
    assert "Traceback" not in err
    resumed = toy.call(tmp_path, *RUN, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert len(only_run(tmp_path).records) == 8


def test_ten_kills_lose_no_finished_cell_and_run_none_twice(tmp_path: Path) -> None:
    toy.project(tmp_path, tasks=16)
    seen: list[bytes] = []
    arguments = [*RUN]
    for kill in range(10):
        child = toy.start(tmp_path, *arguments)
        assert child.stderr is not None
        wanted = 1 + (kill % 3 == 2)
        for line in child.stderr:
            wanted -= line.startswith("[")
            if wanted == 0:
                break
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate(timeout=60)
        arguments = [*RUN, "--resume"]
        journal = store.latest_run(tmp_path / "results/local") / store.JOURNAL
        lines = journal.read_bytes().splitlines()
        assert lines[: len(seen)] == seen
        seen = lines

    done = toy.call(tmp_path, *arguments)

    assert done.returncode == 0, done.stderr
    ids = [record.cell.id for record in only_run(tmp_path).records]
    assert len(ids) == len(set(ids)) == 16
    journal = store.latest_run(tmp_path / "results/local") / store.JOURNAL
    assert journal.read_bytes().splitlines()[: len(seen)] == seen


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("show", "majorty"), 2, "did you mean 'majority'"),
        (("run", "-k", "nothing-like-it", "--cards", "cards"), 2, "nothing selected by"),
        (("run", "nowhere.toml"), 2, "a suite file or one of: default, "),
        (("run", "--cards", "results"), 2, "results"),
        (("report",), 3, "no run yet"),
        (("list", "taks"), 2, "is not one of"),
        (("frobnicate",), 2, "No such command"),
        (("run", "--resume", "--cards", "cards"), 3, "no run of suite toy yet"),
    ],
)
def test_wrong_usage_says_what_and_what_to_do(
    tmp_path: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    done = toy.call(toy.project(tmp_path), *arguments)

    assert (done.returncode, said in done.stderr) == (status, True), done.stderr
    assert "Traceback" not in done.stderr


def test_output_can_be_piped_away(tmp_path: Path) -> None:
    child = toy.start(toy.project(tmp_path), "list", "cells", "--cards", "cards")
    assert child.stdout is not None
    child.stdout.close()
    child.stdout = None
    _, err = child.communicate(timeout=60)

    assert "Traceback" not in (err or "")
