"""A pass is watched, tried again while its window is invalid, and given up in the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import pytest
from msgspec import structs
from tests.unit.looks import state as look

from steelyard.evidence import Watch
from steelyard.host.state import State
from steelyard.lookout import Lookout
from steelyard.progress import Silent


class Scripted:
    """A probe that gives what the test says, now."""

    def __init__(self, states: Callable[[], State]) -> None:
        self._states = states

    def state(self) -> State:
        return structs.replace(self._states(), at_ns=time.monotonic_ns())


def lookout(monkeypatch: pytest.MonkeyPatch, states: Callable[[], State]) -> Lookout:
    monkeypatch.setattr("steelyard.host.state.probe", lambda _: Scripted(states))
    return Lookout(wait=lambda _: None)


class Work:
    """A pass whose window is a moment long; counts how often it was done."""

    def __init__(self) -> None:
        self.done = 0
        self.ends = (0, 0)

    def attempt(self, watch: Watch) -> None:
        watch.follow(1)
        self.done += 1
        start_ns = time.monotonic_ns()
        self.ends = (start_ns, time.monotonic_ns() + 1)

    def span(self) -> tuple[int, int]:
        return self.ends


def test_a_quiet_window_is_kept_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work()

    seen = lookout(monkeypatch, lambda: look(0)).until_valid("latency", work.attempt, work.span)

    assert work.done == 1
    assert seen.decision.action == "keep"
    assert seen.evidence is not None
    assert seen.evidence.broken == ()


def test_a_throttled_window_is_tried_again_and_given_up_after_three(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work = Work()
    hot = structs.replace(look(0), throttled=("throttled",))

    seen = lookout(monkeypatch, lambda: hot).until_valid("latency", work.attempt, work.span)

    assert work.done == 3
    assert seen.decision.action == "give_up"
    assert "throttled" in (seen.decision.reason or "")


def test_a_swap_storm_that_passes_costs_one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work()
    pages: Iterator[int] = iter([0, 0, 5000])

    def states() -> State:
        swapped = next(pages, 5000)
        return structs.replace(look(0), swap_in_pages=swapped, swap_out_pages=0)

    seen = lookout(monkeypatch, states).until_valid("latency", work.attempt, work.span)

    assert work.done == 2
    assert seen.decision.action == "keep"
    assert seen.said == (
        "latency: measured at try 2; the one before: 5000 pages swapped, limit 256",
    )


def test_a_pass_without_a_window_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work()
    hot = structs.replace(look(0), throttled=("throttled",))

    seen = lookout(monkeypatch, lambda: hot).until_valid("latency", work.attempt, lambda: None)

    assert work.done == 1
    assert seen.evidence is None


def test_the_first_start_sets_the_temperature_that_later_ones_wait_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_c = [50.0]
    waited: list[float] = []

    def cool(seconds: float) -> None:
        waited.append(seconds)
        now_c[0] -= 4.0

    def states() -> State:
        return structs.replace(look(0), temperature_c=now_c[0])

    monkeypatch.setattr("steelyard.host.state.probe", lambda _: Scripted(states))
    watch = Lookout(wait=cool)
    work = Work()
    watch.until_valid("latency", work.attempt, work.span)
    assert waited == []
    now_c[0] = 61.0

    watch.until_valid("latency", work.attempt, work.span)

    assert len(waited) == 3  # 61, 57, 53, 49: within two degrees of 50


class Told(Silent):
    """Progress that keeps what it is told, and whether it was told during a pass."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)

    @contextmanager
    def step(self, what: str) -> Generator[None, None, None]:
        self.lines.append(what)
        yield


def test_another_try_is_told_with_the_rule_that_was_broken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hot = structs.replace(look(0), throttled=("throttled",))
    told, work = Told(), Work()
    watch = lookout(monkeypatch, lambda: hot)

    watch.until_valid("latency", work.attempt, work.span, progress=told)

    assert len(told.lines) == 2  # the third try is the last, and the record says why
    assert told.lines[0].startswith("latency: try 1 of 3 was invalid, again: throttled (throttled)")
    assert told.lines[1].startswith("latency: try 2 of 3 was invalid")


def test_waiting_for_the_temperature_says_for_what(monkeypatch: pytest.MonkeyPatch) -> None:
    now_c = [50.0]

    def cool(seconds: float) -> None:
        now_c[0] -= 4.0

    def states() -> State:
        return structs.replace(look(0), temperature_c=now_c[0])

    monkeypatch.setattr("steelyard.host.state.probe", lambda _: Scripted(states))
    watch, told, work = Lookout(wait=cool), Told(), Work()
    watch.until_valid("latency", work.attempt, work.span, progress=told)
    assert told.lines == []
    now_c[0] = 61.0

    watch.until_valid("energy", work.attempt, work.span, progress=told)

    (said,) = told.lines
    assert said.startswith("energy: waiting for the device to cool from 61 to 52 degrees")
    assert said.endswith("up to 180 s")
