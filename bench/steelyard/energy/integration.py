"""From a trace and a window's ends to joules: interpolation, trapezoids, counted updates."""

from __future__ import annotations

from math import fsum, hypot

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.api import Channel, Trace
from steelyard.energy.arithmetic import Absent, Energy

NS = 1e-9
Floats = NDArray[np.float64]


class _Part(Struct, frozen=True):
    """One channel's share of a window."""

    joules: float
    u_truncation: float
    updates: int
    gap_s: float


def energy_between(
    trace: Trace, start_ns: int, end_ns: int, channel: str | None = None
) -> Energy | Absent:
    """Return the energy of a window (CLOCK_MONOTONIC ns): all counted channels, or one by name.

    Power: trapezoids of the readings, interpolated at the window's ends. Counters: the difference
    of the interpolated counts. Absent with the reason where readings do not cover the window, or
    where they never moved.
    """
    if end_ns <= start_ns:
        return Absent(reason=f"{trace.meter}: the window is empty")
    chosen = _chosen(trace, channel)
    if not chosen:
        known = ", ".join(c.name for c in trace.channels) or "none"
        return Absent(reason=_told(trace, f"no channel {channel or 'is counted'}; there: {known}"))
    for one in chosen:
        missing = _missing(one, start_ns, end_ns)
        if missing is not None:
            return Absent(reason=_told(trace, f"{one.name} {missing}"))
    parts = [_part(one, start_ns, end_ns, trace.update_interval_s) for one in chosen]
    energy = _energy(trace, chosen, parts, NS * (end_ns - start_ns))
    if energy.joules > 0:
        return energy
    return Absent(reason=_told(trace, "the sensor did not move in the window"))


def _chosen(trace: Trace, name: str | None) -> list[Channel]:
    if name is not None:
        return [channel for channel in trace.channels if channel.name == name]
    return [channel for channel in trace.channels if channel.role != "shown"]


def _missing(channel: Channel, start_ns: int, end_ns: int) -> str | None:
    times = channel.times_ns
    if len(times) < 2:
        return f"has {len(times)} readings"
    if times[0] > start_ns:
        return f"was first read {NS * (times[0] - start_ns):.2f} s after the window began"
    if times[-1] < end_ns:
        return f"was last read {NS * (end_ns - times[-1]):.2f} s before the window ended"
    return None


def _told(trace: Trace, what: str) -> str:
    return "; ".join([f"{trace.meter}: {what}", *trace.faults])


def _energy(trace: Trace, chosen: list[Channel], parts: list[_Part], seconds: float) -> Energy:
    joules = fsum(part.joules for part in parts)
    u_gain = trace.gain_uncertainty * joules
    u_truncation = hypot(*(part.u_truncation for part in parts))
    ends = {c.role: p.joules for c, p in zip(chosen, parts, strict=True)}
    if "low" in ends and "high" in ends:
        # A model's range: its middle, and a gain such that U = 2u is half of its width.
        joules, u_gain = joules / 2, (ends["high"] - ends["low"]) / 4
        u_truncation /= 2
    return Energy(
        joules=joules,
        seconds=seconds,
        meters=(trace.meter,),
        method=trace.method,
        scope=trace.scope,
        covers=trace.covers,
        # Channels of a trace are read together: one that stands still, such as a second GPU's
        # that idles, says nothing about the sensor's pace.
        updates=max(part.updates for part in parts),
        longest_gap_s=max(part.gap_s for part in parts),
        u_gain=u_gain,
        u_truncation=u_truncation,
    )


def _part(channel: Channel, start_ns: int, end_ns: int, interval_s: float | None) -> _Part:
    # Whole nanoseconds are subtracted first: a double holds no more than 2^53 of them.
    since_ns = np.asarray(channel.times_ns, dtype=np.int64) - start_ns
    times = since_ns.astype(np.float64) * NS
    values = np.asarray(channel.values, dtype=np.float64)
    length = NS * (end_ns - start_ns)
    # From the last reading at or before the start to the first at or after the end.
    first = int(np.searchsorted(times, 0.0, side="right")) - 1
    last = int(np.searchsorted(times, length, side="left"))
    times, values = times[first : last + 1], values[first : last + 1]
    if channel.unit == "J":
        return _counted(times, values, length, channel.resolution or 0.0)
    return _sampled(times, values, length, channel.resolution or 0.0, interval_s)


def _counted(times: Floats, values: Floats, length: float, resolution: float) -> _Part:
    """Return a counter's part.

    Where an end of the window lies between two readings, how much of their step fell into it is
    not known; a quantity within a width w has the standard uncertainty w/sqrt(12) (GUM 4.3.7).
    """
    begin, end = np.interp((0.0, length), times, values)
    steps = np.diff(values)
    before = float(steps[0]) if times[0] < 0 else 0.0
    after = float(steps[-1]) if times[-1] > length else 0.0
    u = hypot(before, after, 2**0.5 * resolution) / 12**0.5
    moved = np.count_nonzero(steps[times[1:] <= length])
    return _Part(float(end - begin), u, int(moved), 0.0)


def _sampled(
    times: Floats, values: Floats, length: float, resolution: float, interval_s: float | None
) -> _Part:
    """Return power's part: sum of (P_i + P_{i-1})/2 * dt.

    Between two readings the power may have stepped from one to the other at any moment: the
    energy of the pair lies anywhere within |P_i - P_{i-1}| * dt. A resolution is taken to err the
    same way all the time.
    """
    dt, steps = np.diff(times), np.diff(values)
    u = hypot(float(np.linalg.norm(steps * dt)), resolution * length) / 12**0.5
    moments = np.array([0.0, *times[1:-1], length])
    watts = np.interp(moments, times, values)
    joules = float(np.sum((watts[1:] + watts[:-1]) / 2 * np.diff(moments)))
    return _Part(joules, u, _updates(times, steps, length, interval_s), float(dt.max()))


def _updates(times: Floats, steps: Floats, length: float, interval_s: float | None) -> int:
    """Return how many new values the window saw: never more than the sensor can have made."""
    if interval_s is None:
        return int(np.count_nonzero(steps[times[1:] <= length]))
    read = int(np.count_nonzero((times >= 0) & (times <= length)))
    return min(read, round(length / interval_s))
