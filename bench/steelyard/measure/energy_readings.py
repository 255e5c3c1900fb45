"""What was metered -> a reading a meter, and how long windows must be for the slowest sensor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct, structs

from steelyard.api import Trace
from steelyard.card import Metering
from steelyard.energy import (
    Absent,
    Energy,
    energy_between,
    idle_power,
    net,
    over_blocks,
    per,
    refuse_short,
    seconds_needed,
)
from steelyard.job import Metered
from steelyard.lookout import Watched
from steelyard.record import EnergyReading
from steelyard.validity import Limits

Tier = Literal[1, 2, 3]
Span = tuple[int, int]
# A worker that loads its weights waits for the disk between idling and working.
IDLE = Limits(major_faults=None)
# A sensor that is slower than this allows keeps its refusal, which says how long would do.
LONGEST_WINDOW_S = 120.0
# A window that is a little longer than needed, since updates do not come by the clock.
SPARE = 1.1


class Run(Struct, frozen=True, kw_only=True):
    """What was metered: windows of work, idle spans around them, a trace or a fault a meter."""

    told: Metered
    idle: tuple[Span, ...]
    traces: tuple[Trace, ...]
    faults: dict[str, str]


def lengthened(run: Run, metering: Metering) -> Metering | None:
    """Return windows long enough for every sensor; None where they are, or cannot well be."""
    needed = SPARE * max(_needed(run), default=0.0)
    if needed <= metering.window_seconds or needed > LONGEST_WINDOW_S:
        return None
    return structs.replace(metering, window_seconds=needed)


def _needed(run: Run) -> Iterator[float]:
    """Yield the seconds that windows lack updates for."""
    for trace in run.traces:
        for window in run.told.windows:
            whole = energy_between(trace, window.start_ns, window.end_ns)
            seconds = None if isinstance(whole, Absent) else seconds_needed(whole)
            if seconds is not None:
                yield seconds


def readings(run: Run, seen: Watched) -> tuple[EnergyReading, ...]:
    """Return a reading a meter; one that failed, or saw no valid window, says why it has none."""
    failed = [absent(name, reason) for name, reason in run.faults.items()]
    if seen.decision.action == "give_up":
        why = f"no valid window: {seen.decision.reason}"
        return (*failed, *(absent(trace.meter, why) for trace in run.traces))
    disturbed = [rule for span in run.idle for rule in seen.broken(span, IDLE)]
    return (*failed, *(_reading(trace, run, disturbed) for trace in run.traces))


def absent(meter: str, reason: str) -> EnergyReading:
    """Return a reading without a figure, and why."""
    return EnergyReading(meter=meter, absent=reason)


def _reading(trace: Trace, run: Run, disturbed: Sequence[str]) -> EnergyReading:
    """Return what a trace says of a call, gross and net of idle, which may have been disturbed."""
    bare = EnergyReading(
        meter=trace.meter, tier=_tier(trace), notes=trace.notes, faults=trace.faults
    )
    blocks: list[Energy] = []
    for window in run.told.windows:
        whole = energy_between(trace, window.start_ns, window.end_ns)
        why = whole.reason if isinstance(whole, Absent) else refuse_short(whole)
        if why is not None or isinstance(whole, Absent):
            return structs.replace(bare, absent=why)
        blocks.append(per(whole, window.calls))
    gross = over_blocks(blocks)
    return structs.replace(
        _with_net(bare, trace, gross, run.idle, disturbed),
        method=gross.method,
        scope=gross.scope,
        covers=gross.covers,
        gross_j=gross.joules,
        gross_u_j=gross.expanded,
        watts=gross.watts,
        seconds_a_call=gross.seconds,
        calls=sum(window.calls for window in run.told.windows),
        windows=gross.blocks,
        updates=gross.updates,
    )


def _with_net(
    bare: EnergyReading,
    trace: Trace,
    gross: Energy,
    spans: Sequence[Span],
    disturbed: Sequence[str],
) -> EnergyReading:
    if disturbed:
        return structs.replace(bare, no_net=f"idle was disturbed: {'; '.join(disturbed)}")
    parts = [energy_between(trace, *span) for span in spans]
    idle = [part for part in parts if isinstance(part, Energy)]
    missing = [part.reason for part in parts if isinstance(part, Absent)]
    if missing:
        return structs.replace(bare, no_net=missing[0])
    power = idle_power(idle)
    known = structs.replace(bare, idle_watts=power.watts, idle_u_watts=2 * power.u)
    above = net(gross, power)
    if isinstance(above, Absent):
        return structs.replace(known, no_net=above.reason)
    return structs.replace(known, net_j=above.joules, net_u_j=above.expanded)


def _tier(trace: Trace) -> Tier:
    if trace.method == "modelled":
        return 3
    return 1 if trace.scope == "wall" or trace.meter == "external" else 2
