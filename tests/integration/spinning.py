"""A backend that takes as long as its session option says: a slow-down that is really there."""

from __future__ import annotations

import time

from steelyard.api import Answer, SessionSpec


class Spinning:
    """Answers with the first label, or with `label`, after `spin_us` microseconds of work."""

    def refuse(self, spec: SessionSpec) -> str | None:
        return None

    def open(self, spec: SessionSpec) -> SpinningSession:
        label = str(spec.options.get("label", spec.labels[0].id))
        spin_us = spec.options.get("spin_us", 100)
        assert isinstance(spin_us, int)
        return SpinningSession(label, spin_us * 1000)


class SpinningSession:
    def __init__(self, label: str, spin_ns: int) -> None:
        self._label = label
        self._spin_ns = spin_ns

    def encode(self, text: str) -> str:
        return text

    def infer(self, inputs: str) -> str:
        # Its own processor time: what another process takes of the core is no slow-down of ours.
        until = time.thread_time_ns() + self._spin_ns
        while time.thread_time_ns() < until:
            pass
        return self._label

    def decode(self, outputs: str) -> Answer:
        return Answer(label=outputs)

    def close(self) -> None:
        pass
