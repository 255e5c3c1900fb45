"""The energy pass: the same calls again and again, for as long as a sensor needs."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

from steelyard.errors import WorkerError
from steelyard.job import EnergyWindow, Job, Metered
from steelyard.worker.loads import rigged
from steelyard.worker.opening import Emit, opened
from steelyard.worker.rig import warm_up


def energy(job: Job, backend: Any, emit: Emit) -> None:
    """Fill the job's windows with calls, one after the other; tell when each was and how many.

    codecarbon, where it is asked for, tracks this process around all of them.
    """
    if job.metering is None:
        raise WorkerError("an energy pass needs its metering")
    part, metering = job.parts[0], job.metering
    windows: list[EnergyWindow] = []
    with opened(backend, part.spec, emit) as session, ExitStack() as around:
        rig = rigged(session, job)
        warm_up(rig.answer, job.timing, rig.clock)
        tracked = None
        if job.codecarbon is not None:
            from steelyard.emissions.tracking import Tracked

            tracked = around.enter_context(Tracked(job.codecarbon))
        calls = 0
        for _ in range(metering.windows):
            start_ns = time.monotonic_ns()
            latest = start_ns + int(metering.window_seconds * 1e9)
            first = calls
            while calls == first or time.monotonic_ns() < latest:
                rig.answer(calls)
                calls += 1
            end_ns = time.monotonic_ns()
            windows.append(EnergyWindow(start_ns=start_ns, end_ns=end_ns, calls=calls - first))
        around.close()
    emit(Metered(windows=tuple(windows), codecarbon=tracked.reading if tracked else None))
