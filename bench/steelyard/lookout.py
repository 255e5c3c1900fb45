"""What stands around every timed pass of a run: a start as warm as the first, and a watch."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property

from msgspec import Struct

from steelyard import cooling, validity
from steelyard.cooling import Gate, Wait
from steelyard.evidence import Watch, evidence_between
from steelyard.host import state
from steelyard.host.machine import Machine
from steelyard.host.state import State
from steelyard.progress import Progress, Silent
from steelyard.readings import Reading, Window
from steelyard.record import Evidence
from steelyard.validity import Attempt, Decision, Limits, Retries, decide

Span = tuple[int, int]


class Watched(Struct, frozen=True, kw_only=True):
    """How a watched pass ended: its window's evidence, and whether it is kept.

    `said` is what a reader must know of how the pass began and of the tries before it.
    """

    decision: Decision
    evidence: Evidence | None = None
    readings: tuple[Reading, ...] = ()
    said: tuple[str, ...] = ()

    def broken(self, span: Span, limits: Limits) -> tuple[str, ...]:
        """Return the rules that another part of the pass broke."""
        return validity.broken_rules(self.readings, _window("part", span), limits)


class Lookout:
    """Watches the passes of one run on one machine; keeps the temperature of its first start."""

    def __init__(self, machine: Machine | None = None, wait: Wait = time.sleep) -> None:
        self._machine = machine or Machine()
        self._wait = wait
        self._reference_c: float | None = None

    @cached_property
    def _probe(self) -> state.Probe:
        return state.probe(self._machine)

    def note_start(self) -> None:
        """Take the temperature that later starts wait for, unless it was taken."""
        if self._reference_c is None:
            self._reference_c = self._probe.state().temperature_c

    def until_valid(
        self,
        name: str,
        attempt: Callable[[Watch], None],
        span: Callable[[], Span | None],
        limits: Limits | None = None,
        progress: Progress | None = None,
    ) -> Watched:
        """Do a pass until its window breaks no rule, or it is given up.

        `attempt` does the pass and tells the watch whose work is not foreign; `span` then says
        when its window began and ended, CLOCK_MONOTONIC, or None where there was none. `progress`
        is told of waiting and of another try, never while `attempt` is at work.
        """
        progress = progress or Silent()
        attempts: list[Attempt] = []
        while True:
            began_as = self._gate(name, progress)
            began = time.monotonic()
            with Watch(self._probe) as watch:
                attempt(watch)
            seconds = time.monotonic() - began
            ends = span()
            said = tuple(f"{name}: {one}" for one in (began_as, _tries(attempts)) if one)
            if ends is None:
                return Watched(decision=Decision(action="keep"), said=said)
            evidence = evidence_between(watch.readings, _window(name, ends), limits)
            attempts.append(Attempt(seconds=seconds, broken=evidence.broken))
            decision = decide(attempts)
            if decision.action != "again":
                return Watched(
                    decision=decision, evidence=evidence, readings=watch.readings, said=said
                )
            progress.say(f"{name}: {_again(attempts)}")

    def _gate(self, name: str, progress: Progress) -> str | None:
        """Wait for the temperature of the first start; return what a reader must know."""
        gate = Gate()
        with ExitStack() as shown:
            shows: list[str] = []

            def wait(seconds: float) -> None:
                if not shows:
                    shows.append(_waiting(name, self._probe.state(), self._reference_c, gate))
                    shown.enter_context(progress.step(shows[0]))
                self._wait(seconds)

            start = cooling.await_start(
                lambda: self._probe.state().temperature_c, self._reference_c, wait, gate
            )
        if self._reference_c is None:
            self._reference_c = start.temperature_c
            return None  # without a sensor the evidence lists the temperature as untold
        return start.said


def _window(name: str, span: Span) -> Window:
    return Window(name=name, start_ns=span[0], end_ns=span[1], cores=os.cpu_count() or 1)


def _again(attempts: list[Attempt]) -> str:
    limit = Retries().tries
    return f"try {len(attempts)} of {limit} was invalid, again: {'; '.join(attempts[-1].broken)}"


def _waiting(name: str, state: State, reference_c: float | None, gate: Gate) -> str:
    now = "" if state.temperature_c is None else f" from {state.temperature_c:.0f}"
    goal = "" if reference_c is None else f" to {reference_c + gate.within_c:.0f} degrees"
    return (
        f"{name}: waiting for the device to cool{now}{goal}, near the run's first start, "
        f"up to {gate.longest_s:.0f} s"
    )


def _tries(before: list[Attempt]) -> str | None:
    if not before:
        return None
    return f"measured at try {len(before) + 1}; the one before: {'; '.join(before[-1].broken)}"
