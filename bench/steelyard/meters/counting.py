"""Unwrap energy counters: what they counted since the first reading, never falling."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

# No package or GPU draws it. A counter that seems to is one that was reset (by a suspend, by a
# reloaded driver), which a wrap-around cannot be told from in any other way.
IMPOSSIBLE_W = 20_000.0


class Counted(Struct, frozen=True, kw_only=True):
    """Joules since the first reading. A counter that was reset ends there, with the fault."""

    times_ns: tuple[int, ...]
    joules: tuple[float, ...]
    fault: str | None = None


def unwrap(
    times_ns: Sequence[int], raw: Sequence[float], joules_a_step: float, size: float | None
) -> Counted:
    """Return what a counter of `size` steps counted; `size` None is one that never wraps.

    One wrap-around between two readings is undone (powercap: max_energy_range_uj); more than one
    cannot be seen, so readings must come faster than the counter runs round.
    """
    counted = [0.0] if raw else []
    for i in range(1, len(raw)):
        steps = raw[i] - raw[i - 1]
        if steps < 0 and size is not None:
            steps += size
        joules = steps * joules_a_step
        if steps < 0 or joules * 1e9 > IMPOSSIBLE_W * (times_ns[i] - times_ns[i - 1]):
            fault = f"the counter was reset: {raw[i]:.0f} after {raw[i - 1]:.0f}"
            return Counted(times_ns=tuple(times_ns[:i]), joules=tuple(counted), fault=fault)
        counted.append(counted[-1] + joules)
    return Counted(times_ns=tuple(times_ns), joules=tuple(counted))
