"""`pytest --benchmark` in projects of a stranger, with measuring replaced."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import psutil
import pytest
from _pytest.pytester import Pytester, RunResult

from steelyard import pytest_plugin
from steelyard.api import Score
from steelyard.errors import CardError
from steelyard.record import ArtifactRef, Cell, Measurement, Outcome, Record
from steelyard.report import table

# An inner pytest forgets what it imported, and these cannot be imported twice.
KEPT = (psutil, table)
pytest_plugins = ["pytester"]

Run = Callable[..., RunResult]
ENDED_WELL: tuple[Outcome, None] = ("ok", None)
GOOD, SLOW, BAD, REFUSED = "minilm@int8", "qwen@int4", "gemma@bf16", "lid176@ftz"


def planned(name: str, refusal: str | None = None) -> SimpleNamespace:
    model, _, variant = name.partition("@")
    cell = Cell(task="spam", model=model, variant=variant, device="cpu-1t")
    return SimpleNamespace(cell=cell, refusal=refusal)


def measured(cell: Cell, outcome: Outcome = "ok", reason: str | None = None) -> Record:
    samples = tuple(range(1_000_000, 1_400_000, 1000))
    kinds = [("latency_end_to_end", "ns", samples), ("memory_peak", "B", (90_000_000,))]
    return Record(
        cell=cell,
        outcome=outcome,
        reason=reason,
        started="2026-01-02T03:04:05+00:00",
        seconds=1.0,
        task_sha256="1" * 64,
        model_sha256="2" * 64,
        role="specialist",
        precision="int8",
        backend="null",
        threads=1,
        metric="accuracy",
        scores=(Score(metric="accuracy", value=0.9, n=100, low=0.825, high=0.945),),
        artifact=ArtifactRef(
            sha256="3" * 64, size_bytes=5, recipe_sha256="4" * 64, parameters=22_700_000
        ),
        measurements=tuple(
            Measurement(quantity=q, unit=u, values=v, method="counter", scope="call")
            for q, u, v in kinds
        ),
    )


def run_cell(cell: SimpleNamespace) -> SimpleNamespace:
    ends: dict[str, tuple[Outcome, str | None]] = {
        "gemma": ("out_of_memory", "memory pass: killed by the kernel for memory"),
        "late": ("refused", "no backend 'late'"),
    }
    outcome, reason = ends.get(cell.cell.model, ENDED_WELL)
    return SimpleNamespace(record=measured(cell.cell, outcome, reason), predictions=())


@pytest.fixture
def project(pytester: Pytester, monkeypatch: pytest.MonkeyPatch) -> Pytester:
    monkeypatch.setattr(pytest_plugin, "_plan", lambda *_: (planned(GOOD), planned(SLOW)))
    monkeypatch.setattr(pytest_plugin, "_run_cell", run_cell)
    # The machine's identity, which pytest-benchmark asks cpuinfo for, takes a second.
    pytester.makeconftest("def pytest_benchmark_generate_machine_info(): return {'node': 'x'}")
    pytester.makefile(".toml", bench="schema = 1")
    pytester.makepyfile(
        test_usual="""
        def test_plain(): pass
        def test_timed(request): request.getfixturevalue("benchmark")(lambda: None)
        """
    )
    return pytester


def cells(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr(pytest_plugin, "_plan", lambda *_: tuple(map(planned, names)))


def test_without_the_flag_nothing_is_collected(project: Pytester) -> None:
    result = project.runpytest("--collect-only", "-q")

    result.stdout.no_fnmatch_line("*bench.toml*")
    result.stdout.fnmatch_lines(["*test_plain*"])


def test_the_flag_collects_a_cell_an_item(project: Pytester) -> None:
    result = project.runpytest("--benchmark", "--collect-only", "-q")

    result.stdout.fnmatch_lines(
        ["bench.toml::spam/minilm@int8/cpu-1t", "bench.toml::spam/qwen@int4/cpu-1t"]
    )


def test_a_cell_can_be_selected_by_its_id_or_by_k(project: Pytester) -> None:
    by_id = project.runpytest("--benchmark", "bench.toml::spam/minilm@int8/cpu-1t")
    by_k = project.runpytest("--benchmark", "-k", "minilm")

    by_id.assert_outcomes(passed=1)
    by_k.assert_outcomes(passed=1, deselected=3)


def test_samples_reach_the_table_of_pytest_benchmark(project: Pytester) -> None:
    result = project.runpytest("--benchmark", "--benchmark-only", "--benchmark-columns=min,rounds")

    result.assert_outcomes(passed=2, skipped=2)
    result.stdout.fnmatch_lines(["*benchmark 'spam': 2 tests*", "spam/minilm@int8/cpu-1t*1.0*400*"])


def test_steelyards_own_table_stands_beside_it(project: Pytester) -> None:
    result = project.runpytest("--benchmark", "bench.toml")

    result.stdout.fnmatch_lines(["*minilm@int8*0.900 n=100*1.20 *ms*90 MB*"])


def test_the_json_holds_seconds_and_what_a_time_does_not_say(project: Pytester) -> None:
    project.runpytest("--benchmark", "--benchmark-only", "--benchmark-json=out.json")

    first = json.loads((project.path / "out.json").read_text())["benchmarks"][0]
    assert first["fullname"] == "bench.toml::spam/minilm@int8/cpu-1t"
    assert first["stats"]["min"] == 0.001
    assert len(first["stats"]["data"]) == 400
    assert first["params"] == {
        "task": "spam",
        "model": "minilm",
        "variant": "int8",
        "device": "cpu-1t",
    }
    assert first["extra_info"] == {
        "cell": "spam/minilm@int8/cpu-1t",
        "outcome": "ok",
        "metric": "accuracy",
        "score": 0.9,
        "score_low": 0.825,
        "score_high": 0.945,
        "score_n": 100,
        "memory_peak_bytes": 90_000_000,
        "size_bytes": 5,
        "parameters": 22_700_000,
        "artifact_sha256": "3" * 64,
    }


def test_a_saved_run_is_compared_with(project: Pytester) -> None:
    usual = ("--benchmark", "--benchmark-only")
    project.runpytest(*usual, "--benchmark-save=first")

    result = project.runpytest(
        *usual, "--benchmark-compare", "--benchmark-compare-fail=min:5%", "--benchmark-sort=name"
    )

    assert result.ret == 0
    result.stdout.fnmatch_lines(["*minilm@int8/cpu-1t (0001_first)*", "*minilm@int8*(NOW)*"])


def test_groups_follow_the_parameters(project: Pytester) -> None:
    result = project.runpytest("--benchmark", "bench.toml", "--benchmark-group-by=param:model")

    result.stdout.fnmatch_lines(["*benchmark 'model=minilm': 1 tests*"])


def test_skip_skips_cells_and_disable_feeds_none(project: Pytester) -> None:
    skipped = project.runpytest("--benchmark", "--benchmark-skip", "bench.toml")
    disabled = project.runpytest("--benchmark", "--benchmark-disable", "bench.toml")

    skipped.assert_outcomes(skipped=2)
    disabled.assert_outcomes(passed=2)
    disabled.stdout.no_fnmatch_line("*benchmark 'spam'*")


def test_the_options_of_pytest_benchmark_are_not_the_flag(project: Pytester) -> None:
    for option in ("--benchmark-only", "--benchmark-skip", "--benchmark-autosave"):
        result = project.runpytest(option, "--collect-only", "-q")
        result.stdout.no_fnmatch_line("*bench.toml*")


def test_an_abbreviated_flag_is_an_error(project: Pytester) -> None:
    result = project.runpytest("--bench")

    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_a_cell_that_failed_says_why_and_nothing_of_our_stack(
    project: Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells(monkeypatch, BAD, GOOD)

    result = project.runpytest("--benchmark", "bench.toml", "--junitxml=junit.xml")

    result.assert_outcomes(failed=1, passed=1)
    reason = "out of memory: memory pass: killed by the kernel for memory"
    result.stdout.fnmatch_lines([reason, f"FAILED bench.toml::spam/{BAD}/cpu-1t - {reason[:20]}*"])
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")
    assert reason in (project.path / "junit.xml").read_text()


def test_refusals_are_skipped_with_their_reason(
    project: Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells_ = (planned(REFUSED, "cpu-4t needs 4 cores, this process may use 2"), planned("late@x"))
    monkeypatch.setattr(pytest_plugin, "_plan", lambda *_: cells_)

    result = project.runpytest("--benchmark", "-rs", "bench.toml")

    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(
        ["SKIPPED*bench.toml*: cpu-4t needs 4 cores*", "SKIPPED*bench.toml*: no backend 'late'*"]
    )


def test_a_malformed_suite_is_one_message(
    project: Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise CardError("bench.toml.entries: expected array, got int")

    monkeypatch.setattr(pytest_plugin, "_plan", refuse)

    result = project.runpytest("--benchmark")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*ERROR collecting bench.toml*", "bench.toml.entries: expected*"])
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_a_project_without_a_suite_gets_the_default_one(project: Pytester) -> None:
    (project.path / "bench.toml").unlink()

    result = project.runpytest("--benchmark", "--collect-only", "-q")
    named = project.runpytest("--benchmark", "test_usual.py", "--collect-only", "-q")

    result.stdout.fnmatch_lines(["default::spam/minilm@int8/cpu-1t", "*4 tests collected*"])
    named.stdout.no_fnmatch_line("default::*")


def test_the_suite_at_the_root_is_found_outside_testpaths(project: Pytester) -> None:
    project.makeini("[pytest]\ntestpaths = tests")
    (project.path / "tests").mkdir()

    result = project.runpytest("--benchmark", "-v")

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["bench.toml::spam/minilm@int8/cpu-1t PASSED*"])


def test_a_named_suite_is_measured_instead(project: Pytester) -> None:
    shipped = project.runpytest("--benchmark", "--steelyard-suite=quick", "--collect-only", "-q")
    alone = project.runpytest("--steelyard-suite=quick")

    shipped.stdout.fnmatch_lines(["quick::spam/minilm@int8/cpu-1t"])
    shipped.stdout.no_fnmatch_line("bench.toml*")
    assert alone.ret == pytest.ExitCode.USAGE_ERROR


def test_cells_are_not_spread_over_workers(project: Pytester) -> None:
    pytest.importorskip("xdist")

    result = project.runpytest("--benchmark", "-n", "2")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*one cell at a time*"])
    project.runpytest("--benchmark", "-n", "0", "bench.toml").assert_outcomes(passed=2)


def test_it_works_without_pytest_benchmark(project: Pytester) -> None:
    (project.path / "conftest.py").unlink()

    result = project.runpytest("--benchmark", "bench.toml", "-p", "no:benchmark")

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*minilm@int8*0.900 n=100*"])


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    heavy = "{'numpy', 'msgspec', 'rich', 'steelyard.record', 'pytest_benchmark'}"
    code = f"import sys, steelyard.pytest_plugin; print(sorted({heavy} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
