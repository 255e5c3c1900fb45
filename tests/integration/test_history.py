"""Histories for real: writers at once, runners that push to one branch, hundreds of runs."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests import toy
from tests.unit import builders, historic
from tests.unit.historic import CELL

from steelyard.history import html, reading
from steelyard.history.series import history
from steelyard.history.types import Address
from steelyard.record import Prediction
from steelyard.report import query
from steelyard.store import Journal, write_predictions

ROOT = Path(__file__).parents[2]
WRITERS, RUNS_EACH = 8, 4
PREDICTED = Prediction(id="1", expected="a", answer="a")


def write_runs(folder: Path, writer: int) -> None:
    """Write runs as a runner does: a folder a run, journalled, closed; one name has been taken."""
    for number in range(RUNS_EACH):
        name = f"20260101T00000{number}Z-toy-{writer}"
        journal = Journal.start(folder / name, builders.header(run=name))
        write_predictions(folder / name, [PREDICTED])
        second = writer * RUNS_EACH + number
        started = f"2026-01-01T00:00:{second:02}+00:00"
        journal.append(historic.record(0, 1_000_000 + second, started=started)).close()


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    done = subprocess.run(
        ("git", "-C", str(folder), *who, *arguments), check=True, capture_output=True, text=True
    )
    return done.stdout


def test_eight_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from tests.integration import test_history as t; "
    code += "sys.stdin.read(); t.write_runs(Path(sys.argv[1]), int(sys.argv[2]))"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "results"), str(number)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
        )
        for number in range(WRITERS)
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.close()  # All have been started: now they go.

    assert [writer.wait(120) for writer in writers] == [0] * WRITERS

    found = history(reading.read([tmp_path / "results"], CELL).kept, Address(cell=CELL))
    latency = found.series[0].values
    assert latency == tuple((1_000_000 + n) / 1e9 for n in range(WRITERS * RUNS_EACH))
    assert not list(tmp_path.rglob("*.tmp"))


def pushed(runner: Path) -> int:
    """Pull and push until it is taken, as a job does; return how often others were quicker."""
    for refusals in range(50):
        git(runner, "pull", "--quiet", "--rebase", "origin", "main")
        try:
            git(runner, "push", "--quiet", "origin", "HEAD:main")
        except subprocess.CalledProcessError:
            continue
        return refusals
    raise AssertionError(f"{runner.name}: never taken")


def test_eight_runners_push_to_one_branch_at_once_without_conflict(tmp_path: Path) -> None:
    hub = tmp_path / "hub.git"
    subprocess.run(("git", "init", "--quiet", "--bare", "-b", "main", str(hub)), check=True)
    runners = [tmp_path / f"runner-{number}" for number in range(WRITERS)]
    for runner in runners:
        subprocess.run(("git", "clone", "--quiet", str(hub), str(runner)), check=True)
    git(runners[0], "commit", "--quiet", "--allow-empty", "-m", "first")
    git(runners[0], "push", "--quiet", "origin", "HEAD:main")
    # Each commits from the same state, before any has seen the others'.
    for number, runner in enumerate(runners):
        git(runner, "pull", "--quiet", "--rebase", "origin", "main")
        historic.write(runner / "results", [historic.kept(number)])
        git(runner, "add", ".")
        git(runner, "commit", "--quiet", "-m", f"run {number}")

    # A conflict would fail the pull of its runner.
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(pushed, runners))

    git(runners[0], "pull", "--quiet", "--rebase", "origin", "main")
    assert len(reading.read([runners[0] / "results"], CELL).kept) == WRITERS


@pytest.fixture(scope="module")
def hundreds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = historic.series(historic.stepped(300, 200, 1.12))
    return historic.write(tmp_path_factory.mktemp("results"), runs)


def test_hundreds_of_runs_are_a_history(hundreds: Path, tmp_path: Path) -> None:
    done = toy.call(tmp_path, "history", CELL, str(hundreds))

    assert done.returncode == 0, done.stderr
    assert "300 runs" in done.stdout
    assert "latency p50 +12.0 % (worse)" in done.stdout
    assert "run run-200" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_hundreds_of_runs_can_be_asked_in_sql(hundreds: Path) -> None:
    pytest.importorskip("duckdb", reason="the extra `report` is not installed")
    sql = "SELECT count(*), count(DISTINCT run), median(p50_ns) FROM cells"

    with query.queried(sorted(hundreds.iterdir()), sql) as answer:
        ((count, runs, middle),) = list(answer.rows)

    assert (count, runs) == (300, 300)
    assert 995_000 < middle < 1_010_000


def test_no_usable_history_ends_with_three_and_one_line(hundreds: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer.json"
    newer.write_text('{"schema": 99, "run": "x", "records": []}')
    ends = [
        toy.call(tmp_path, "history", "spam/tinny@int8/cpu-1t", str(hundreds)),
        toy.call(tmp_path, "history", CELL, str(hundreds), str(newer)),
        toy.call(tmp_path, "history", CELL, str(hundreds), "--machine", "Jetson"),
        toy.call(tmp_path, "history", CELL),
    ]

    assert [done.returncode for done in ends] == [3] * 4
    assert [len(done.stderr.splitlines()) for done in ends] == [1] * 4
    assert "the nearest: spam/tiny@int8/cpu-1t" in ends[0].stderr
    assert not any(done.stdout for done in ends)


def test_a_real_drawing_is_made_of_harmless_parts(hundreds: Path) -> None:
    for library in ("jinja2", "altair", "vl_convert"):
        pytest.importorskip(library, reason="the extra `report` is not installed")
    kept = reading.read([hundreds], CELL).kept

    page = html.html(history(kept, Address(cell=CELL), ("latency",)))

    assert page.count('<svg class="plot"') == 1
    assert 'aria-label="latency p50 +12.0 % (worse)' in page
