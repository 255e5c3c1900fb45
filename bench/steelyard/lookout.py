"""What stands around every timed pass of a run: a start as warm as the first, and a watch."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cached_property

from msgspec import Struct

from steelyard import cooling
from steelyard.cooling import Wait
from steelyard.evidence import Watch, evidence_between
from steelyard.host import state
from steelyard.host.machine import Machine
from steelyard.readings import Window
from steelyard.record import Evidence
from steelyard.validity import Attempt, Decision, Limits, decide

Pass = Callable[[Callable[[int], None]], None]
Span = Callable[[], tuple[int, int] | None]


class Watched(Struct, frozen=True, kw_only=True):
    """How a watched pass ended: its window's evidence, and whether it is kept.

    `said` is what a reader must know of how the pass began.
    """

    decision: Decision
    evidence: Evidence | None = None
    said: str | None = None


class Lookout:
    """Watches the passes of one run on one machine; keeps the temperature of its first start."""

    def __init__(
        self, machine: Machine | None = None, limits: Limits | None = None, wait: Wait = time.sleep
    ) -> None:
        self._machine = machine or Machine()
        self._limits = limits
        self._wait = wait
        self._reference_c: float | None = None

    @cached_property
    def _probe(self) -> state.Probe:
        return state.probe(self._machine)

    def until_valid(self, name: str, attempt: Pass, span: Span) -> Watched:
        """Do a pass until its window breaks no rule, or it is given up.

        `attempt` does the pass, telling the worker's process id to what it is given; `span` then
        says when its window began and ended, CLOCK_MONOTONIC, or None where there was none.
        """
        attempts: list[Attempt] = []
        while True:
            said = self._gate()
            began = time.monotonic()
            with Watch(self._probe) as watch:
                attempt(watch.follow)
            seconds = time.monotonic() - began
            ends = span()
            if ends is None:
                return Watched(decision=Decision(action="keep"), said=said)
            window = Window(name=name, start_ns=ends[0], end_ns=ends[1], cores=os.cpu_count() or 1)
            evidence = evidence_between(watch.readings, window, self._limits)
            attempts.append(Attempt(seconds=seconds, broken=evidence.broken))
            decision = decide(attempts)
            if decision.action != "again":
                return Watched(evidence=evidence, decision=decision, said=said)

    def _gate(self) -> str | None:
        """Wait for the temperature of the first start; return what a reader must know."""
        start = cooling.await_start(
            lambda: self._probe.state().temperature_c, self._reference_c, self._wait
        )
        if start.temperature_c is None:
            return None  # the evidence lists the temperature as untold
        if self._reference_c is None:
            self._reference_c = start.temperature_c
        return start.said
