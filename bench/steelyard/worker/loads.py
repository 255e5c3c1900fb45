"""One load shape over an open session: whichever was declared."""

from __future__ import annotations

from typing import Any

from steelyard.card import (
    ColdStartLoad,
    GenerateLoad,
    Load,
    OfflineLoad,
    PoissonLoad,
    SensorLoad,
    SustainedLoad,
)
from steelyard.errors import Refusal
from steelyard.job import Job
from steelyard.loads import AnyLoadResult
from steelyard.worker.arrivals import poisson, sensor
from steelyard.worker.clock import Clock
from steelyard.worker.generate import generate
from steelyard.worker.offline import offline
from steelyard.worker.payloads import payloads
from steelyard.worker.rig import Rig, shuffled
from steelyard.worker.sustained import sustained


def rigged(session: Any, job: Job, clock: Clock | None = None) -> Rig:
    """Return what the load shapes drive: the job's first part; `session` is open and stays so."""
    part = job.parts[0]
    order, ask = shuffled(part.items, job.seed), payloads(part)
    return Rig(
        session=session,
        order=order,
        asked=tuple(ask(item) for item in order),
        timing=job.timing,
        seed=job.seed,
        clock=clock or Clock(),
    )


def measure(rig: Rig, load: Load) -> AnyLoadResult:
    """Drive the session in the declared shape; raise Refusal where it cannot take it."""
    match load:
        case OfflineLoad():
            return offline(rig, load)
        case PoissonLoad():
            return poisson(rig, load)
        case SensorLoad():
            return sensor(rig, load)
        case SustainedLoad():
            return sustained(rig, load)
        case GenerateLoad():
            return generate(rig, load)
        case ColdStartLoad():
            raise Refusal("load 'cold-start' needs a fresh process; see steelyard.worker.cold")
