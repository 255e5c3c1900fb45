"""`steelyard cascade` and `steelyard choose` on the published records, and their page."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result
from tests import toy

from steelyard import cascade, catalog, store
from steelyard.cascade.asking import ask_again
from steelyard.cli import group
from steelyard.errors import SteelyardError, StoreError
from steelyard.measure import Bench
from steelyard.prepare.cache import Cache
from steelyard.progress import Silent
from steelyard.record import Prediction, Record

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "results" / "default"
PAGE = ROOT / "docs" / "cascade.md"
PAIR = ("--specialist", "tfidf-linear@fp32", "--generalist", "qwen2.5-coder-1.5b@int8")
TASKS = ("spam", "sentiment")

pytestmark = pytest.mark.skipif(
    not RESULTS.is_dir(), reason="results/ is not beside an installed wheel's tests"
)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(group, arguments, standalone_mode=False)


def cascaded(task: str, *more: str) -> dict[str, Any]:
    done = call("cascade", str(RESULTS), "--task", task, *PAIR, "-f", "json", *more)
    assert done.exception is None, done.output
    found: dict[str, Any] = msgspec.json.decode(done.stdout)["cascade"]
    return found


def kept(task: str, model: str) -> tuple[Record, dict[str, Prediction]]:
    (record,) = (
        record
        for run in store.read_runs(RESULTS)
        for record in run.records
        if record.cell.task == task and f"{record.cell.model}@{record.cell.variant}" == model
    )
    read = store.read_predictions(RESULTS, str(record.predictions_sha256))
    return record, {one.id: one for one in read}


@pytest.mark.parametrize("task", TASKS)
def test_the_ends_and_every_point_of_the_frontier_can_be_recomputed(
    task: str, tmp_path: Path
) -> None:
    path = tmp_path / "threshold.json"
    found = cascaded(task, "-o", str(path))
    (small_record, small), (large_record, large) = (kept(task, PAIR[1]), kept(task, PAIR[3]))
    common = sorted(small.keys() & large.keys())
    policy = cascade.read_policy(path)
    times = [
        np.mean(record.measurement("latency_end_to_end").values)  # type: ignore[union-attr]
        for record in (small_record, large_record)
    ]

    for point in found["frontier"]:
        at = msgspec.structs.replace(policy, threshold=point["threshold"])
        goes_on = [cascade.decide(small[name].scores or (), at) for name in common]
        said = [(large if on else small)[n] for n, on in zip(common, goes_on, strict=True)]
        assert point["accuracy"] == pytest.approx(np.mean([p.answer == p.expected for p in said]))
        assert point["escalated"] == pytest.approx(np.mean(goes_on))
        if point.get("mean_latency_ns") is not None:
            mixed = times[0] + np.mean(goes_on) * times[1]
            assert point["mean_latency_ns"] == pytest.approx(mixed)


@pytest.mark.parametrize("task", TASKS)
def test_what_is_expected_is_of_the_common_items_and_never_above_the_best_possible(
    task: str,
) -> None:
    expected = cascaded(task)["expected"]
    (_, small), (_, large) = kept(task, PAIR[1]), kept(task, PAIR[3])
    common = small.keys() & large.keys()

    assert expected["accuracy"]["n"] == len(common)
    for name, answers in (("specialist", small), ("generalist", large)):
        right = [answers[item].answer == answers[item].expected for item in common]
        assert expected[name]["value"] == pytest.approx(np.mean(right))
    assert expected["accuracy"]["value"] <= expected["either"]
    gain = expected["over_specialist"]
    assert gain["value"] == pytest.approx(
        expected["accuracy"]["value"] - expected["specialist"]["value"]
    )
    assert gain["low"] < gain["value"] < gain["high"]


def test_an_exported_threshold_names_the_artefacts_it_is_of(tmp_path: Path) -> None:
    path = tmp_path / "threshold.json"
    cascaded("spam", "--max-escalated", "0.3", "-o", str(path))
    file = cascade.read_threshold(path)
    for party, model in ((file.specialist, PAIR[1]), (file.generalist, PAIR[3])):
        record, _ = kept("spam", model)
        assert record.artifact is not None
        assert party.artifact_sha256 == record.artifact.sha256
    assert file.data_sha256 == kept("spam", PAIR[1])[0].data_sha256
    assert file.judged[0].name == "escalated"


def test_a_score_that_no_threshold_reaches_ends_with_3_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "threshold.json"
    arguments = ("cascade", str(RESULTS), "--task", "sentiment", *PAIR, "--min-score", "1")
    done = call(*arguments, "-o", str(path))

    assert done.return_value == 3
    assert "no threshold meets what was asked" in done.stdout
    assert "nearest:" in done.stdout
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--task", "spma", *PAIR), "no cell of task 'spma' in these runs"),
        (("--task", "spam", "--specialist", "x@y", *PAIR[2:]), "no cell is 'x@y'; there are: "),
        (("--task", "spam", *PAIR, "--max-energy", "1nJ"), "--max-energy cannot be judged"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(arguments: tuple[str, ...], said: str) -> None:
    done = call("cascade", str(RESULTS), *arguments)

    assert isinstance(done.exception, SteelyardError)
    assert said in str(done.exception)
    assert "\n" not in str(done.exception)


def test_a_specialist_whose_scores_were_not_kept_says_how_to_get_them() -> None:
    record, answers = kept("routing-r8", PAIR[1])
    if all(one.scores is not None for one in answers.values()):
        pytest.skip(f"{record.cell.id} keeps its scores")

    done = call("cascade", str(RESULTS), "--task", "routing-r8", *PAIR)

    assert isinstance(done.exception, SteelyardError)
    assert "--ask-again" in str(done.exception)


def chosen(*limits: str) -> dict[str, Any]:
    done = call("choose", str(RESULTS), "--task", "spam", "-f", "json", *limits)
    assert done.exception is None, done.output
    found: dict[str, Any] = msgspec.json.decode(done.stdout)["selection"]
    assert done.return_value == (3 if found["chosen"] is None else 0)
    return found


def test_the_chosen_model_meets_every_limit_by_its_record() -> None:
    found = chosen("--max-size", "50MB", "--max-memory", "1GB", "--min-score", "0.8")

    assert found["chosen"] is not None
    cell = found["chosen"]["cell"]
    record, _ = kept("spam", f"{cell['model']}@{cell['variant']}")
    score = record.score()
    assert score is not None
    assert record.artifact is not None
    assert score.value >= 0.8
    assert record.artifact.size_bytes <= 50_000_000
    for other in found["candidates"]:
        meets = all(one["standing"] == "meets" for one in other["findings"])
        assert not meets or other["score"]["low"] <= found["chosen"]["score"]["low"]


def test_a_score_that_none_has_is_named_with_the_nearest() -> None:
    done = call("choose", str(RESULTS), "--task", "spam", "--min-score", "0.9999")

    assert done.return_value == 3
    assert "score: met by none; nearest " in done.stdout
    assert "short" in done.stdout


@pytest.mark.parametrize("score", ["nan", "inf", "1.5", "-0.1", "high"])
def test_a_share_outside_0_to_1_is_wrong_usage(score: str) -> None:
    done = call("cascade", str(RESULTS), "--task", "spam", *PAIR, "--min-score", score)

    assert isinstance(done.exception, click.BadParameter)


@pytest.mark.parametrize("limit", ["50", "5 parsecs", "-5ms", "0ms"])
def test_a_limit_without_its_unit_is_wrong_usage(limit: str) -> None:
    done = call("choose", str(RESULTS), "--task", "spam", "--max-p99", limit)

    assert "is no" in str(done.exception) or "above zero" in str(done.exception)


def test_the_page_works_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "results").symlink_to(RESULTS.parent)
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text()
    for line in re.findall(r"^\$ steelyard (.*)$", page, re.MULTILINE):
        done = call(*shlex.split(line))
        assert done.exception is None, f"{line}\n{done.exception}"
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    _, answers = kept("spam", PAIR[1])
    sure = max(answers.values(), key=lambda one: max(one.scores or (0.0,)))
    asked: list[str] = []

    def specialist(text: str) -> tuple[str, tuple[float, ...]]:
        return sure.answer, sure.scores or () if text == "sure" else (0.0, 0.0)

    def generalist(text: str) -> str:
        asked.append(text)
        raise ConnectionError

    space: dict[str, Any] = {"specialist": specialist, "generalist": generalist}
    exec(code, space)  # noqa: S102 - the page's own example
    space["policy"] = msgspec.structs.replace(space["policy"], threshold=0.6)

    assert space["answer"]("sure") == sure.answer
    assert asked == []
    assert space["answer"]("unsure") == sure.answer
    assert asked == ["unsure"]


def test_deciding_loads_no_library_that_a_board_lacks() -> None:
    heavy = ("scipy", "sklearn", "pandas", "torch", "onnxruntime", "rich", "click", "altair")
    code = (
        "import sys; from steelyard import cascade; cascade.decide; "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_model_asked_again_answers_every_test_item_with_its_scores(tmp_path: Path) -> None:
    project = toy.project(tmp_path)
    done = toy.call(project, "run", "--cards", "cards", "-o", "out")
    assert done.returncode == 0, done.stderr
    (folder,) = (project / "out").iterdir()
    (record,) = store.read_runs(folder)[0].records
    recorded = store.read_predictions(folder, str(record.predictions_sha256))
    bench = Bench(cache=Cache(project / "cache"), progress=Silent())
    found = catalog.load((project / "cards",))

    asked = ask_again(record, recorded, found, bench)

    assert asked.changed == 0
    assert [one.id for one in asked.predictions] == [one.id for one in recorded]
    assert all(one.scores is not None for one in asked.predictions)
    assert record.artifact is not None
    other = msgspec.structs.replace(
        record, artifact=msgspec.structs.replace(record.artifact, sha256="0" * 64)
    )
    with pytest.raises(StoreError, match="not the record's"):
        ask_again(other, recorded, found, bench)
