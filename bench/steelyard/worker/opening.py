"""Open a session and tell what opening it took."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from steelyard.api import DescribedSession, ImportingBackend, SessionSpec
from steelyard.job import Loaded, Message
from steelyard.worker.process import peak_bytes

Emit = Callable[[Message], None]


def opened(backend: Any, spec: SessionSpec, emit: Emit | None) -> closing[Any]:
    """Return an open session; with `emit`, tell the time and the memory that it took."""
    if isinstance(backend, ImportingBackend):
        backend.import_runtime(spec)
    after_import = peak_bytes()
    start = time.perf_counter_ns()
    session = backend.open(spec)
    seconds_ns = time.perf_counter_ns() - start
    if emit is not None:
        after_load = peak_bytes()
        runs_on = session.describe() if isinstance(session, DescribedSession) else ()
        emit(
            Loaded(
                seconds_ns=seconds_ns,
                after_import=after_import,
                after_load=after_load,
                runs_on=runs_on,
            )
        )
    return closing(session)
