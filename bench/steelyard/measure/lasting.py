"""How long passes take at most, in words: once the model is open, and but for a last call."""

from __future__ import annotations

from steelyard.card import (
    ColdStartLoad,
    GenerateLoad,
    Load,
    Metering,
    OfflineLoad,
    PoissonLoad,
    SensorLoad,
    SustainedLoad,
    Timing,
)


def latency(timing: Timing) -> str:
    """Return how long warming up and timing single calls takes."""
    return _up_to(timing.warm_up_max_seconds + timing.max_seconds)


def memory(timing: Timing) -> str:
    """Return how long the calls of the memory pass take."""
    return _up_to(timing.max_seconds)


def energy(timing: Timing, metering: Metering, *, idle: bool) -> str:
    """Return how long warming up, the windows and, with `idle`, idling around them take."""
    around = 2 * metering.idle_seconds if idle else 0.0
    work = metering.windows * metering.window_seconds
    return _up_to(timing.warm_up_max_seconds + work + around)


def load(shape: Load, timing: Timing) -> str:
    """Return how long a load shape takes, warm-up included; cold starts by their number."""
    warm_up = timing.warm_up_max_seconds
    match shape:
        case ColdStartLoad():
            return f"{shape.starts} processes, one after the other"
        case OfflineLoad():
            # Each batch size is called `min_calls` times, however long that takes.
            return f"about {_said(warm_up + len(shape.batches) * shape.seconds)}"
        case PoissonLoad():
            return _up_to(warm_up + shape.seconds + shape.deadline_s)
        case SensorLoad():
            deadline_s = 1 / shape.rate_hz if shape.deadline_s is None else shape.deadline_s
            return _up_to(warm_up + shape.seconds + deadline_s)
        case SustainedLoad():
            return _up_to(warm_up + 60 * shape.minutes)
        case GenerateLoad():
            return _up_to(shape.seconds)


def _up_to(seconds: float) -> str:
    return f"up to {_said(seconds)}"


def _said(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
