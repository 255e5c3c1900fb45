"""`pytest --benchmark --steelyard-baseline` with measuring and the gate replaced."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import psutil
import pytest
from _pytest.pytester import Pytester
from msgspec import structs
from tests.unit import historic

from steelyard import pytest_plugin
from steelyard.errors import ArmError
from steelyard.gate.types import CellResult, Line
from steelyard.record import Cell, Evidence
from steelyard.report import table

# An inner pytest forgets what it imported, and these cannot be imported twice.
KEPT = (psutil, table)
pytest_plugins = ["pytester"]

CELL = Cell(task="spam", model="minilm", variant="int8", device="cpu-1t")
SLOWER = Line(
    quantity="latency", status="regression", unit="ns", baseline=1e6, candidate=1.1e6,
    estimate=1.1, low=1.08, high=1.12, n=20, tolerated=0.02, margin=0.05,
)  # fmt: skip
OPEN = structs.replace(SLOWER, status="inconclusive", estimate=1.03, low=0.99, high=1.07)
FINE = structs.replace(SLOWER, status="ok", estimate=1.0, low=0.99, high=1.01)
LOST = Line(quantity="latency", status="absent", unit="ns", reason="no block was valid")
NO_SENSOR = Line(
    quantity="energy", status="absent", unit="J", reason="no sensor", optional=True
)  # fmt: skip

Judged = Callable[..., tuple[CellResult, ...]]


def judged(*lines: Line) -> Judged:
    result = CellResult(cell="spam/cpu-1t", baseline="a", candidate="b", lines=lines)
    return lambda *_: (result,)


@pytest.fixture
def project(pytester: Pytester, monkeypatch: pytest.MonkeyPatch) -> Pytester:
    cell = SimpleNamespace(cell=CELL, refusal=None)
    record = historic.record(0, 1_000_000, CELL)
    monkeypatch.setattr(pytest_plugin, "_plan", lambda *_: (cell,))
    monkeypatch.setattr(
        pytest_plugin, "_run_cell", lambda _: SimpleNamespace(record=record, predictions=())
    )
    pytester.makeconftest("def pytest_benchmark_generate_machine_info(): return {'node': 'x'}")
    pytester.makefile(".toml", bench="schema = 1")
    return pytester


def run(project: Pytester, *more: str) -> Any:
    return project.runpytest("--benchmark", "--steelyard-baseline=rev:main", *more)


def test_a_regression_fails_its_item_with_cell_ratio_and_interval(
    project: Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytest_plugin, "_judge", judged(SLOWER, NO_SENSOR))

    result = run(project, "--junitxml=out.xml")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "spam/minilm@int8/cpu-1t against rev:main:",
            "latency REGRESSION: 1.100 ?1.080, 1.120? (1 ms -> 1.10 ms)*beyond the 2 %*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*no sensor*")
    case = next(ET.parse(project.path / "out.xml").iter("testcase"))  # noqa: S314 - pytest's own
    failure = case.find("failure")
    assert failure is not None
    assert "1.100 [1.080, 1.120]" in (failure.get("message") or "")
    told = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert told["gate"] == "regression"
    assert "1.100 [1.080, 1.120]" in (told["gate_latency"] or "")


def test_what_is_not_worse_passes(project: Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytest_plugin, "_judge", judged(FINE, NO_SENSOR))

    result = run(project)

    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*undecided*")


def test_an_undecided_cell_passes_with_a_note(
    project: Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytest_plugin, "_judge", judged(OPEN))

    result = run(project)

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["undecided: spam/minilm@int8/cpu-1t against rev:main: latency inconclusive: 1.030*"]
    )


def test_what_could_not_be_measured_is_no_pass(
    project: Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytest_plugin, "_judge", judged(LOST))

    result = run(project)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*latency not measured; no block was valid*"])


def test_a_baseline_without_the_cell_fails_with_its_words(
    project: Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(*_: object) -> tuple[CellResult, ...]:
        raise ArmError("rev:main: has no cell spam/cpu-1t, which the other arm has")

    monkeypatch.setattr(pytest_plugin, "_judge", lacking)

    result = run(project)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*rev:main: has no cell spam/cpu-1t*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_noisy_window_of_ours_does_not_hide_a_regression(
    project: Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    noisy = Evidence(window="latency", seconds=1.0, readings=3, broken=("throttled",))
    record = historic.record(0, 1_000_000, CELL, outcome="invalid", evidence=(noisy,))
    monkeypatch.setattr(
        pytest_plugin, "_run_cell", lambda _: SimpleNamespace(record=record, predictions=())
    )
    monkeypatch.setattr(pytest_plugin, "_judge", judged(SLOWER))

    run(project).assert_outcomes(failed=1)


@pytest.mark.parametrize("wrong", ["rev:", "majority?x", "env:"])
def test_a_baseline_that_cannot_be_meant_is_refused_at_once(project: Pytester, wrong: str) -> None:
    result = project.runpytest("--benchmark", f"--steelyard-baseline={wrong}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--steelyard-baseline*"])


def test_a_baseline_without_benchmark_is_refused(project: Pytester) -> None:
    result = project.runpytest("--steelyard-baseline=rev:main")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*measures only with --benchmark*"])
