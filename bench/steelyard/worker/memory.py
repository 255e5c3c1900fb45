"""The memory pass: how much the process needs while it answers."""

from __future__ import annotations

import os
import time
from typing import Any

from steelyard.job import Job, Peak
from steelyard.worker.opening import Emit, opened
from steelyard.worker.payloads import payloads
from steelyard.worker.process import peak_bytes, reading, reset_peak


def memory(job: Job, backend: Any, emit: Emit) -> None:
    """Make some calls and tell the peak."""
    part = job.parts[0]
    with opened(backend, part.spec, emit) as session:
        ask = payloads(part)
        reset = reset_peak()
        deadline = time.monotonic() + job.timing.max_seconds
        calls = 0
        while calls < job.timing.memory_calls and (calls == 0 or time.monotonic() < deadline):
            item = part.items[calls % len(part.items)]
            session.decode(session.infer(session.encode(ask(item))))
            calls += 1
        # The peak first: what the other readings import would count.
        peak = peak_bytes()
        emit(Peak(peak=peak, calls=calls, reset=reset, reading=reading(os.getpid())))
