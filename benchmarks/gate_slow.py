"""A backend around onnxruntime's that makes every call so much longer: a real extra delay."""

from __future__ import annotations

import time
from typing import Any

from msgspec import structs

from steelyard import plugins
from steelyard.api import SessionSpec

DELAY = "delay_ns"


class Delayed:
    """The installed onnxruntime backend, with `delay_ns` of spinning after each inference."""

    def __init__(self) -> None:
        self._inner: Any = plugins.load("backends", "onnxruntime")

    def refuse(self, spec: SessionSpec) -> str | None:
        return self._inner.refuse(_without(spec)) if hasattr(self._inner, "refuse") else None

    def open(self, spec: SessionSpec) -> DelayedSession:
        delay = spec.options.get(DELAY, 0)
        if not isinstance(delay, int):
            raise TypeError(f"{DELAY}: expected nanoseconds, got {delay!r}")
        return DelayedSession(self._inner.open(_without(spec)), delay)


class DelayedSession:
    """A session that answers late."""

    def __init__(self, inner: Any, delay_ns: int) -> None:
        self._inner = inner
        self._delay_ns = delay_ns
        self.encode = inner.encode
        self.decode = inner.decode
        self.close = inner.close

    def infer(self, inputs: Any) -> Any:
        outputs = self._inner.infer(inputs)
        until = time.perf_counter_ns() + self._delay_ns
        while time.perf_counter_ns() < until:
            pass
        return outputs


def _without(spec: SessionSpec) -> SessionSpec:
    options = {name: value for name, value in spec.options.items() if name != DELAY}
    return structs.replace(spec, options=options)
