"""Early stopping as MLPerf's own LoadGen logs it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from steelyard import stats
from steelyard.stats import EarlyStop

loadgen: Any = pytest.importorskip("mlperf_loadgen")

FOREVER_NS = 10**12


def logged(folder: Path, scenario: str, n: int, p: float, target_ns: int = FOREVER_NS) -> str:
    """Let LoadGen drive a system that answers at once `n` times; return its summary."""
    test = loadgen.TestSettings()
    test.scenario = getattr(loadgen.TestScenario, scenario)
    test.mode = loadgen.TestMode.PerformanceOnly
    test.min_duration_ms = test.max_duration_ms = 0
    test.min_query_count = test.max_query_count = n
    test.single_stream_expected_latency_ns = 1000
    test.single_stream_target_latency_percentile = p
    test.server_target_qps = 100_000
    test.server_target_latency_ns = target_ns
    test.server_target_latency_percentile = p
    log = loadgen.LogSettings()
    log.enable_trace = False
    out = loadgen.LogOutputSettings()
    out.outdir = str(folder)
    log.log_output = out
    system = loadgen.ConstructSUT(_answer, lambda: None)
    library = loadgen.ConstructQSL(16, 16, lambda _: None, lambda _: None)
    loadgen.StartTestWithLogSettings(system, library, test, log, "")
    loadgen.DestroyQSL(library)
    loadgen.DestroySUT(system)
    return (folder / "mlperf_log_summary.txt").read_text()


def _answer(queries: Any) -> None:
    loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(q.id, 0, 0) for q in queries])


def number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found is not None, text
    return int(found[1])


@pytest.mark.parametrize(("n", "p"), [(64, 0.9), (745, 0.9), (2000, 0.9), (10_000, 0.99)])
def test_loadgen_discards_as_many_calls(tmp_path: Path, n: int, p: float) -> None:
    summary = logged(tmp_path, "SingleStream", n, p)

    ours = stats.early_stop(range(n), p)
    assert isinstance(ours, EarlyStop)
    assert ours.discards == number(r"Would discard (\d+) highest", summary)


@pytest.mark.parametrize(("n", "p"), [(63, 0.9), (10, 0.99), (100, 0.999)])
def test_loadgen_needs_as_many_calls(tmp_path: Path, n: int, p: float) -> None:
    summary = logged(tmp_path, "SingleStream", n, p)

    ours = stats.early_stop(range(n), p)
    assert isinstance(ours, stats.TooFew)
    assert ours.needed == number(r"Need to process at least (\d+) queries", summary)


@pytest.mark.parametrize("p", [0.9, 0.99])
def test_loadgen_trusts_a_server_after_as_many_calls_in_time(tmp_path: Path, p: float) -> None:
    summary = logged(tmp_path, "Server", 10, p)

    missing = number(r"Would need to run at least (\d+) more", summary)
    assert stats.passing_needed(0, p) == 10 + missing


@pytest.mark.parametrize("late", [1, 2, 3, 8])
def test_loadgen_sets_as_many_calls_beside_late_ones(tmp_path: Path, late: int) -> None:
    summary = logged(tmp_path, "Server", late, 0.99, target_ns=0)

    # All were late, so what is missing are the calls in time.
    assert stats.passing_needed(late, 0.99) == number(r"at least (\d+) more", summary)
