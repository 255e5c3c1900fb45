"""The load passes: a declared shape over an open session, and a cold start."""

from __future__ import annotations

import time
from typing import Any

from steelyard.errors import WorkerError
from steelyard.job import ColdStarted, Job, LoadMeasured
from steelyard.loads import warm_up_seconds
from steelyard.worker.clock import Clock
from steelyard.worker.cold import cold_start
from steelyard.worker.loads import measure, rigged
from steelyard.worker.opening import Emit, opened
from steelyard.worker.payloads import payloads


def load(job: Job, backend: Any, emit: Emit) -> None:
    """Drive the session in the job's shape; raise Refusal where it cannot take it."""
    if job.load is None:
        raise WorkerError("a load pass needs a load")
    part = job.parts[0]
    with opened(backend, part.spec, emit) as session:
        rig = rigged(session, job)
        start_ns = time.monotonic_ns()
        result = measure(rig, job.load)
        end_ns = time.monotonic_ns()
        # What the warm-up did, such as reading weights from the disk, is not judged.
        start_ns += int(warm_up_seconds(result) * 1e9)
        emit(LoadMeasured(result=result, start_ns=start_ns, end_ns=end_ns))


def cold(job: Job, backend: Any, emit: Emit) -> None:
    """Answer one item in this fresh process."""
    part = job.parts[0]
    item = part.items[0]
    start, label = cold_start(backend, part.spec, payloads(part)(item), job.began_ns, Clock())
    emit(ColdStarted(start=start, item=item.id, label=label))
