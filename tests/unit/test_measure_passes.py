"""Passes with a worker that is none: cold starts under one watch, and what a cgroup held."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec import structs
from tests.unit.looks import state as look

from steelyard.api import Answer, Item
from steelyard.card import ColdStartLoad, Timing
from steelyard.cgroups import Usage
from steelyard.host.state import State
from steelyard.job import ColdStarted, Message, Peak
from steelyard.loads import ColdStart, ColdStartResult
from steelyard.lookout import Lookout
from steelyard.measure.findings import Findings
from steelyard.measure.loads import loads
from steelyard.measure.memory import memory
from steelyard.measure.work import Work
from steelyard.progress import Progress, Silent
from steelyard.spawn import Listener, OnStart, ignore

ITEM = Item(id="1", text="red", label="a")
START = ColdStart(imported_ns=10, opened_ns=20, answered_ns=30, resolution_ns=1)


class FakePasses:
    """A cell's passes: each sends `messages` and uses what `used` says."""

    def __init__(
        self, folder: Path, messages: tuple[Message, ...], used: Usage | None = None
    ) -> None:
        self.artifact = SimpleNamespace(folds=(folder,))
        self.messages = messages
        self.used = used
        self.runs = 0

    def job(self, kind: str, groups: object) -> object:
        return SimpleNamespace(kind=kind)

    def run(self, job: object, listen: Listener, on_start: OnStart = ignore) -> Usage | None:
        self.runs += 1
        on_start(1000 + self.runs)
        for message in self.messages:
            listen(message)
        return self.used


class Shown(Silent):
    """Progress that keeps its steps."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    @contextmanager
    def step(self, what: str) -> Generator[None, None, None]:
        self.steps.append(what)
        yield


def work(passes: FakePasses, told: Progress, *shapes: ColdStartLoad) -> Work:
    planned = SimpleNamespace(loads=shapes, timing=Timing(max_seconds=60.0), limit=None)
    return cast(
        "Work",
        SimpleNamespace(
            bench=SimpleNamespace(lookout=Lookout(wait=lambda _: None)),
            passes=passes,
            planned=planned,
            timed_items=(ITEM,),
            answers={"1": Answer(label="a")},
            told=told,
            found=Findings(cast("Any", planned)),
        ),
    )


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[[State], None]:
    """Return a function that says what the machine reads from now on."""

    def reads(state: State) -> None:
        probe = SimpleNamespace(state=lambda: structs.replace(state, at_ns=time.monotonic_ns()))
        monkeypatch.setattr("steelyard.host.state.probe", lambda _: probe)

    return reads


def cold(folder: Path) -> FakePasses:
    (folder / "weights").write_text("w")
    return FakePasses(folder, (ColdStarted(start=START, item="1", label="a"),))


def test_cold_starts_have_evidence_like_every_timed_window(
    tmp_path: Path, machine: Callable[[State], None]
) -> None:
    machine(look(0))
    passes, told = cold(tmp_path), Shown()
    cell = work(passes, told, ColdStartLoad(starts=3))

    loads(cell)

    (evidence,) = cell.found.evidence
    assert evidence.window == "load cold-start"
    assert evidence.broken == ()
    (result,) = cell.found.loads
    assert isinstance(result, ColdStartResult)
    assert [start.answered_ns for start in result.starts] == [30, 30, 30]
    assert told.steps == ["load cold-start, 3 processes, one after the other"]


def test_cold_starts_on_a_throttled_machine_are_tried_again_and_not_kept(
    tmp_path: Path, machine: Callable[[State], None]
) -> None:
    machine(structs.replace(look(0), throttled=("throttled",)))
    passes = cold(tmp_path)
    cell = work(passes, Silent(), ColdStartLoad(starts=2))

    loads(cell)

    assert passes.runs == 6  # three tries of two
    assert cell.found.loads == []
    (invalid,) = cell.found.invalid
    assert invalid.startswith("load cold-start: 3 tries, none valid; the last: throttled")


def test_a_cold_start_may_wait_for_the_disk(
    tmp_path: Path, machine: Callable[[State], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = iter(range(0, 10**6, 500))
    probe = SimpleNamespace(
        state=lambda: structs.replace(look(0), at_ns=time.monotonic_ns(), major_faults=next(faults))
    )
    monkeypatch.setattr("steelyard.host.state.probe", lambda _: probe)
    cell = work(cold(tmp_path), Silent(), ColdStartLoad(starts=1))

    loads(cell)

    assert cell.found.evidence[0].major_faults == 500
    assert cell.found.evidence[0].broken == ()


def weighed(tmp_path: Path, used: Usage | None) -> Findings:
    passes = FakePasses(tmp_path, (Peak(peak=7, calls=5, reset=True),), used)
    cell = work(passes, Silent())
    memory(cell)
    return cell.found


def test_the_peak_of_the_workers_own_cgroup_is_kept_beside_the_process_s(tmp_path: Path) -> None:
    found = weighed(tmp_path, Usage(peak=123_000_000, kills=0))

    kept = {one.quantity: (one.values, one.unit, one.scope) for one in found.measurements}
    assert kept["memory_cgroup_peak"] == ((123_000_000,), "B", "process")
    assert kept["memory_peak"] == ((7,), "B", "process")
    assert found.absent == []


def test_a_cgroup_that_tells_no_peak_is_absent_with_the_reason(tmp_path: Path) -> None:
    found = weighed(tmp_path, Usage(peak=None, kills=0))

    assert [one.quantity for one in found.measurements] == ["memory_peak"]
    ((quantity, reason),) = found.absent
    assert quantity == "memory_cgroup_peak"
    assert "memory.peak" in reason


def test_without_a_cgroup_nothing_is_said_of_one(tmp_path: Path) -> None:
    found = weighed(tmp_path, None)

    assert [one.quantity for one in found.measurements] == ["memory_peak"]
    assert found.absent == []
