"""One load shape over an open session: whichever was declared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from steelyard.api import Item
from steelyard.card import (
    ColdStartLoad,
    GenerateLoad,
    Load,
    OfflineLoad,
    PoissonLoad,
    SensorLoad,
    SustainedLoad,
    Timing,
)
from steelyard.errors import Refusal
from steelyard.loads import AnyLoadResult
from steelyard.worker.arrivals import poisson, sensor
from steelyard.worker.clock import Clock
from steelyard.worker.generate import generate
from steelyard.worker.offline import offline
from steelyard.worker.rig import Rig, shuffled
from steelyard.worker.sustained import sustained


def rigged(
    session: Any, items: Sequence[Item], timing: Timing, seed: int, clock: Clock | None = None
) -> Rig:
    """Return what the load shapes drive; `session` is open and stays so."""
    return Rig(
        session=session,
        order=shuffled(items, seed),
        timing=timing,
        seed=seed,
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
