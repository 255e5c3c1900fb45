"""Learning curves end to end: a toy suite through real workers, and the published generalists."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from tests.toy import call, environment, project

from steelyard import catalog, learning, store
from steelyard.learning import TaskCurves
from steelyard.record import Prediction, Record, RunFile, Subset

RESULTS = Path(__file__).resolve().parents[2] / "results" / "default"
NAME = "tfidf-linear"
CARDS = ("--cards", "cards")


def curve_project(folder: Path) -> Path:
    """Return a toy project whose suite asks for a curve; one size is below its two labels."""
    project(folder)
    suite = folder / "bench.toml"
    suite.write_text(suite.read_text() + 'labels = [1, 2, 4, "all"]\ndraws = 2\n')
    return folder


def records(folder: Path) -> dict[str, Record]:
    run = next((folder / "results" / "local").iterdir())
    return {r.cell.variant: r for one in store.read_runs(run) for r in one.records}


def test_a_suite_with_labels_measures_accuracy_of_each_size_and_draw(tmp_path: Path) -> None:
    folder = curve_project(tmp_path)

    done = call(folder, "run", *CARDS, "--fresh")

    assert done.returncode == 0, done.stderr
    kept = records(folder)
    assert {v: r.artifact.labelled_items for v, r in kept.items() if r.artifact} == {
        "constant-2x0": 2, "constant-2x1": 2, "constant-4x0": 4, "constant-4x1": 4,
        "constant-all": 10,
    }  # fmt: skip
    assert kept["constant-1x0"].outcome == "refused"
    drawn = kept["constant-4x1"]
    assert drawn.subset == Subset(variant="constant", labels=4, draw=1)
    assert {m.quantity for m in drawn.measurements} == {"load_time"}
    assert dict(drawn.absent)["latency_end_to_end"].startswith("a point of a learning curve")
    assert "majority@constant  all 10" in done.stdout
    assert "1 labelled items cannot hold one of each of the 2 labels" in " ".join(
        done.stdout.split()
    )


def test_a_curve_is_shown_again_resumed_and_verified(tmp_path: Path) -> None:
    folder = curve_project(tmp_path)
    call(folder, "run", *CARDS, "-k", "4x")
    resumed = call(folder, "run", *CARDS, "-k", "4x", "--resume")

    shown = call(folder, "curve", "-f", "json", *CARDS)
    checked = call(folder, "verify", *CARDS, str(next((folder / "results" / "local").iterdir())))

    assert "2 of 2 cells are finished already" in resumed.stderr
    (task,) = msgspec.json.decode(shown.stdout)["tasks"]
    (step,) = task["curves"][0]["steps"]
    # The majority of three test items is right twice, or once where the draw is tied.
    assert step["asked"] == 4
    assert all(score == pytest.approx(2 / 3) or score == pytest.approx(1 / 3)
               for score in step["scores"])  # fmt: skip
    assert checked.returncode == 0, checked.stdout


def test_no_curve_and_no_such_task_end_in_one_line(tmp_path: Path) -> None:
    folder = curve_project(tmp_path)
    call(folder, "run", *CARDS, "-k", "2x0")
    other = call(folder, "curve", "-t", "toys", *CARDS)
    (folder / "bench.toml").write_text((folder / "bench.toml").read_text().partition("labels =")[0])
    call(folder, "run", *CARDS, "-o", "plain")

    none = call(folder, "curve", str(next((folder / "plain").iterdir())))

    assert (other.returncode, none.returncode) == (2, 3)
    assert "no learning curve of a task 'toys'" in other.stderr
    assert "these runs have no learning curve\ntry: steelyard run learning-curves" in none.stderr


def test_pytest_measures_points_and_shows_the_curve(tmp_path: Path) -> None:
    folder = curve_project(tmp_path)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--benchmark", "--steelyard-cards", "cards", "-q",
         "-p", "no:cacheprovider"],
        cwd=folder, env={**environment(folder), "COLUMNS": "200"}, capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed, 2 skipped" in done.stdout
    assert "majority@constant  all 10" in done.stdout


def published(labels: int, keep: int) -> tuple[TaskCurves, ...]:
    """Hold the published TF-IDF beside the generalists as if it were a draw that knows less.

    Of its answers to `intent`, all but the first `keep` are put wrong.
    """
    runs = store.read_runs(RESULTS)
    cards = {name: entry.card for name, entry in catalog.load([]).tasks.items()}

    def load(record: Record) -> Sequence[Prediction]:
        found = store.read_predictions(RESULTS, str(record.predictions_sha256))
        if record.subset is None:
            return found
        wrong = [replace(one, answer="nothing") for one in found[keep:]]
        return (*found[:keep], *wrong)

    return learning.curves([*runs, _as_a_draw(runs, labels)], load, cards)


def _as_a_draw(runs: Sequence[RunFile], labels: int) -> RunFile:
    run, record = next(
        (run, one) for run in runs for one in run.records
        if (one.cell.task, one.cell.model) == ("intent", NAME)
    )  # fmt: skip
    cell = replace(record.cell, variant=f"fp32-{labels}x0")
    drawn = replace(record, cell=cell, subset=Subset(variant="fp32", labels=labels))
    return replace(run, records=(drawn,))


@pytest.mark.skipif(
    not RESULTS.is_dir(), reason="results/ is not beside an installed wheel's tests"
)
def test_the_published_specialist_ends_a_curve_as_its_verdict_says() -> None:
    (made,) = published(8, keep=0)
    (curve,) = made.curves

    first, last = curve.steps
    small = next(one for one in last.against if one.generalist.model == "qwen2.5-coder-0.5b")

    assert (first.mean, last.asked) == (0.0, None)
    assert {one.status for one in first.against} == {"worse"}
    right = {
        r.cell.model: {
            p.id: p.answer == p.expected
            for p in store.read_predictions(RESULTS, str(r.predictions_sha256))
        }
        for run in store.read_runs(RESULTS)
        for r in run.records
        if r.cell.task == "intent"
    }
    rival = right["qwen2.5-coder-0.5b"]
    difference = sum(right[NAME][i] - rival[i] for i in rival) / len(rival)
    assert small.estimate == pytest.approx(difference)
    assert small.n == len(rival) == 100
    assert (small.status, len(curve.learned)) == ("better", 2)
