"""A machine that is read once a second: quiet, fully told, with what a test changes."""

from __future__ import annotations

from typing import Any

from steelyard.host.state import State
from steelyard.host.throttle import Count
from steelyard.readings import Reading, Window, WorkerUse

SECOND = 1_000_000_000
# Ten looks, at seconds 0 to 9; the window lies between the third and the eighth.
WINDOW = Window(name="latency", start_ns=SECOND * 5 // 2, end_ns=SECOND * 15 // 2, cores=2)


def state(second: float, **changes: Any) -> State:
    facts: dict[str, Any] = {
        "at_ns": int(second * SECOND),
        "temperature_c": 50.0,
        "clock_hz": (600_000_000, 1_800_000_000),
        "governors": ("performance", "performance"),
        "throttled": (),
        "throttle_counts": (Count(name="oc1", count=7), Count(name="oc2", count=2)),
        "swap_in_pages": 1000,
        "swap_out_pages": 2000,
        "major_faults": 300,
        "oom_kills": 1,
        # One core is busy, with us.
        "busy_s": 5000.0 + second,
        "stolen_s": 40.0,
    }
    return State(**{**facts, **changes})


def reading(second: float, faults: int = 12, **changes: Any) -> Reading:
    worker = WorkerUse(cpu_s=second, major_faults=faults)
    return Reading(state=state(second, **changes), ours_s=100.0 + second, worker=worker)


def quiet(**changes: Any) -> list[Reading]:
    """Return ten looks at a machine that does nothing else, all with `changes`."""
    return [reading(second, **changes) for second in range(10)]


def changed(second: int, **changes: Any) -> list[Reading]:
    """Return ten looks, of which those from `second` on are changed."""
    return [*quiet()[:second], *(reading(later, **changes) for later in range(second, 10))]
