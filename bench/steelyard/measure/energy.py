"""Measure energy with every meter that this machine has; say why where it has none."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct, structs

from steelyard.api import Meter, Trace
from steelyard.emissions import figures, grid
from steelyard.energy import (
    Absent,
    Energy,
    energy_between,
    idle_power,
    net,
    over_blocks,
    per,
    refuse_short,
)
from steelyard.host.meters import installed
from steelyard.job import Message, Metered
from steelyard.measure.work import Work, watched
from steelyard.record import CodecarbonSettings, EnergyReading
from steelyard.spawn import OnStart

Tier = Literal[1, 2, 3]
Span = tuple[int, int]


def energy(work: Work) -> None:
    """Keep a reading a meter that can read this machine, and why the others cannot.

    codecarbon, where the suite has settings for it, is run beside them.
    """
    every = installed(work.bench.machine)
    refusals = {meter.name: meter.refuse() for meter in every}
    ready = [meter for meter in every if refusals[meter.name] is None]
    work.found.no_energy = tuple(f"{name}: {why}" for name, why in refusals.items() if why)
    settings = _codecarbon(work)
    if not ready and settings is None:
        return
    metered = _metered(work, ready, settings)
    if metered is None:
        return
    if settings is not None:
        work.found.codecarbon = metered.told.codecarbon
    work.found.energy = tuple(_reading(trace, metered) for trace in metered.traces)


class _Run(Struct, frozen=True, kw_only=True):
    """What was metered: the windows of work, the idle spans around them, a trace a meter."""

    told: Metered
    idle: tuple[Span, ...]
    traces: tuple[Trace, ...]


def _codecarbon(work: Work) -> CodecarbonSettings | None:
    """Return the suite's settings, unless codecarbon cannot serve them: then keep why."""
    settings = work.planned.codecarbon
    refusal = None if settings is None else grid.refuse(settings)
    if settings is None or refusal is None:
        return settings
    work.found.codecarbon = figures.nothing(settings, refusal)
    return None


def _metered(
    work: Work, meters: Sequence[Meter], settings: CodecarbonSettings | None
) -> _Run | None:
    metering = work.planned.metering
    job = structs.replace(
        work.passes.job("energy", [work.timed_items]), metering=metering, codecarbon=settings
    )
    told: list[Metered] = []
    runs: list[_Run] = []

    def attempt(follow: OnStart) -> None:
        told.clear()
        with Recorded(meters) as recorded:
            before = _idle(metering.idle_seconds if meters else 0.0)
            work.passes.run(job, listen, follow)
            after = _idle(metering.idle_seconds if meters else 0.0)
        runs[:] = [_Run(told=one, idle=(before, after), traces=recorded.traces) for one in told]

    def listen(message: Message) -> None:
        if isinstance(message, Metered):
            told.append(message)

    watched(work, "energy", attempt, told)
    return runs[0] if runs else None


class Recorded:
    """`with Recorded(meters) as recorded:` records; then `recorded.traces` are there."""

    def __init__(self, meters: Sequence[Meter]) -> None:
        self._meters = meters
        self._running: list[Meter] = []
        self.traces: tuple[Trace, ...] = ()

    def __enter__(self) -> Recorded:  # noqa: PYI034 - `Self` is Python 3.11's
        try:
            for meter in self._meters:
                meter.start()
                self._running.append(meter)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.traces = tuple(meter.stop() for meter in self._running)


def _idle(seconds: float) -> Span:
    start_ns = time.monotonic_ns()
    time.sleep(seconds)
    return start_ns, time.monotonic_ns()


def _reading(trace: Trace, run: _Run) -> EnergyReading:
    """Return what a trace says of a call, gross and net of idle."""
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
        _with_net(bare, trace, gross, run.idle),
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
    bare: EnergyReading, trace: Trace, gross: Energy, spans: Sequence[Span]
) -> EnergyReading:
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
