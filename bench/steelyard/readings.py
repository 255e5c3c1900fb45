"""What was read of the machine around a window, and what its counters say between. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from msgspec import Struct

from steelyard.host.state import State

# The kernel counts processor time in ticks of 10 ms (proc_stat(5)), on every core: over less than
# a second the rounding of all cores together could pass for 2 % of the machine.
LEAST_S = 1.0


class WorkerUse(Struct, frozen=True, kw_only=True):
    """What a process and the children it has waited for used since their start."""

    cpu_s: float
    major_faults: int


class Reading(Struct, frozen=True, kw_only=True):
    """One look at the machine. `ours_s` is the processor time of the parent and its worker.

    `worker` is None before it starts and after it ended; `cost_s` is what the look itself took.
    """

    state: State
    ours_s: float
    worker: WorkerUse | None = None
    cost_s: float = 0.0


class Window(Struct, frozen=True, kw_only=True):
    """A part of a pass, CLOCK_MONOTONIC. `cores` are all of the machine's, not only the used."""

    name: str
    start_ns: int
    end_ns: int
    cores: int

    @property
    def seconds(self) -> float:
        return (self.end_ns - self.start_ns) / 1e9


def around(readings: Sequence[Reading], window: Window) -> tuple[Reading, ...]:
    """Return the readings inside the window, the last before it and the first after it.

    Counters between them cover the whole window, and at most a period more on either side.
    """
    before = [r for r in readings if r.state.at_ns < window.start_ns]
    after = [r for r in readings if r.state.at_ns > window.end_ns]
    return (*before[-1:], *inside(readings, window), *after[:1])


def inside(readings: Sequence[Reading], window: Window) -> tuple[Reading, ...]:
    """Return the readings within the window."""
    return tuple(r for r in readings if window.start_ns <= r.state.at_ns <= window.end_ns)


def elapsed_s(readings: Sequence[Reading]) -> float:
    """Return the seconds from the first reading to the last."""
    return (readings[-1].state.at_ns - readings[0].state.at_ns) / 1e9 if readings else 0.0


def longest_gap_s(readings: Sequence[Reading], window: Window) -> float:
    """Return the longest part of the window, in seconds, that nobody looked at."""
    looks = [r.state.at_ns for r in around(readings, window)]
    if not looks or looks[0] > window.start_ns:
        looks = [window.start_ns, *looks]
    if looks[-1] < window.end_ns:
        looks = [*looks, window.end_ns]
    gaps = (later - earlier for earlier, later in pairwise(looks))
    return max(gaps, default=0) / 1e9


def grown(readings: Sequence[Reading], counter: Callable[[State], int | None]) -> int | None:
    """Return how far a counter went; None where it was not told at both ends."""
    if len(readings) < 2:
        return None
    first, last = counter(readings[0].state), counter(readings[-1].state)
    return None if first is None or last is None else last - first


def throttle_events(readings: Sequence[Reading]) -> dict[str, int] | None:
    """Return how often each throttle counter went up; None where there is none."""
    if len(readings) < 2:
        return None
    first, last = readings[0].state.throttle_counts, readings[-1].state.throttle_counts
    if first is None or last is None:
        return None
    before = {one.name: one.count for one in first}
    return {one.name: one.count - before.get(one.name, one.count) for one in last}


def throttled(readings: Iterable[Reading]) -> tuple[str, ...] | None:
    """Return the throttle words that were ever live; None where the device has no such words."""
    told = [r.state.throttled for r in readings if r.state.throttled is not None]
    return tuple(sorted({word for words in told for word in words})) if told else None


def swapped_pages(readings: Sequence[Reading]) -> int | None:
    """Return the pages that went to swap or came from it."""
    into = grown(readings, lambda state: state.swap_in_pages)
    out = grown(readings, lambda state: state.swap_out_pages)
    return None if into is None or out is None else into + out


def major_faults(readings: Sequence[Reading]) -> int | None:
    """Return how often the worker waited for the disk; the whole machine, if none was followed.

    A worker not yet read counts from its first reading, one that has ended up to its last.
    """
    followed = [r.worker.major_faults for r in readings if r.worker is not None]
    if followed:
        return followed[-1] - followed[0] if len(followed) > 1 else None
    return grown(readings, lambda state: state.major_faults)


def foreign_load(readings: Sequence[Reading]) -> float | None:
    """Return the cores' worth of processor time used by others; None under LEAST_S seconds."""
    seconds = elapsed_s(readings)
    if seconds < LEAST_S:
        return None
    first, last = readings[0], readings[-1]
    if first.state.busy_s is None or last.state.busy_s is None:
        return None
    busy_s = last.state.busy_s - first.state.busy_s
    # Both are rounded to ticks, so that the difference may fall just below nothing.
    return max(0.0, busy_s - (last.ours_s - first.ours_s)) / seconds


def stolen_load(readings: Sequence[Reading]) -> float | None:
    """Return the cores' worth of time that a hypervisor gave to others; None under LEAST_S."""
    seconds = elapsed_s(readings)
    if seconds < LEAST_S:
        return None
    first, last = readings[0].state.stolen_s, readings[-1].state.stolen_s
    return None if first is None or last is None else max(0.0, last - first) / seconds


def watch_load(readings: Sequence[Reading]) -> float | None:
    """Return the cores' worth of processor time that reading took, in this process and by it."""
    seconds = elapsed_s(readings)
    return sum(reading.cost_s for reading in readings[1:]) / seconds if seconds else None


def temperatures(readings: Iterable[Reading]) -> list[float]:
    """Return the temperatures that were told, in degrees Celsius, in their order."""
    return [r.state.temperature_c for r in readings if r.state.temperature_c is not None]


def clocks(readings: Iterable[Reading]) -> list[int]:
    """Return the clock of the fastest core at each reading, in hertz.

    The busy worker keeps its core fast; what idle cores show says nothing about it.
    """
    return [max(r.state.clock_hz) for r in readings if r.state.clock_hz]


def governors(readings: Iterable[Reading]) -> list[str]:
    """Return at each reading the governors of all cores, joined with `+` where they differ."""
    return ["+".join(sorted(set(r.state.governors))) for r in readings if r.state.governors]
