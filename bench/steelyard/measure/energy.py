"""Measure energy with every meter that this machine has; say why where it has none."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
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
from steelyard.evidence import Watch
from steelyard.host.meters import installed
from steelyard.job import Message, Metered
from steelyard.lookout import Watched
from steelyard.measure import lasting
from steelyard.measure.work import Stretch, Work, watched
from steelyard.record import CodecarbonSettings, EnergyReading
from steelyard.spawn import PassFailed
from steelyard.validity import Limits

Tier = Literal[1, 2, 3]
Span = tuple[int, int]
# A worker that loads its weights waits for the disk between idling and working.
IDLE = Limits(major_faults=None)


def energy(work: Work) -> None:
    """Keep a reading a meter that can read this machine, and why the others cannot.

    codecarbon, where the suite has settings for it, is run beside them. It is the last pass, and
    sensors are an extra: whatever fails here is the reason of a reading, not the cell's outcome.
    """
    found = work.found
    every = installed(work.bench.machine)
    found.no_energy = tuple(f"{one.name}: {one.refusal}" for one in every if one.refusal)
    ready = [one.meter for one in every if one.meter is not None and one.refusal is None]
    settings = _codecarbon(work)
    if not ready and settings is None:
        return
    try:
        run, seen = _metered(work, ready, settings)
    except PassFailed as failure:
        reason = f"energy pass: {failure.outcome}: {failure.reason}"
        found.energy = tuple(_absent(meter.name, reason) for meter in ready)
        if settings is not None:
            found.codecarbon = figures.nothing(settings, reason)
        return
    if settings is not None:
        found.codecarbon = run.told.codecarbon
    found.energy = _readings(run, seen)


class _Run(Struct, frozen=True, kw_only=True):
    """What was metered: windows of work, idle spans around them, a trace or a fault a meter."""

    told: Metered
    idle: tuple[Span, ...]
    traces: tuple[Trace, ...]
    faults: dict[str, str]


def _codecarbon(work: Work) -> CodecarbonSettings | None:
    """Return the suite's settings, unless codecarbon cannot serve them: then keep why."""
    settings = work.planned.codecarbon
    if settings is None:
        return None
    try:
        refusal = grid.refuse(settings)
    except Exception as error:  # noqa: BLE001 - another project's code must not end a run
        refusal = f"codecarbon: {type(error).__name__}: {error}"
    if refusal is None:
        return settings
    work.found.codecarbon = figures.nothing(settings, refusal)
    return None


def _metered(
    work: Work, meters: Sequence[Meter], settings: CodecarbonSettings | None
) -> tuple[_Run, Watched]:
    metering = work.planned.metering
    idle_s = metering.idle_seconds if meters else 0.0
    job = structs.replace(
        work.passes.job("energy", [work.timed_items]), metering=metering, codecarbon=settings
    )
    told: list[Metered] = []
    runs: list[_Run] = []

    def attempt(watch: Watch) -> None:
        told.clear()
        runs.clear()
        with Recording(meters) as recording:
            for pid in recording.pids:
                watch.count(pid)
            before = _idle(idle_s)
            work.passes.run(job, listen, watch.follow)
            after = _idle(idle_s)
        runs.extend(
            _Run(
                told=one,
                idle=(before, after),
                traces=tuple(recording.traces),
                faults=recording.faults,
            )
            for one in told
        )

    def listen(message: Message) -> None:
        if isinstance(message, Metered):
            told.append(message)

    takes = lasting.energy(work.planned.timing, metering, idle=bool(meters))
    seen = watched(work, Stretch(name="energy", takes=takes), attempt, told)
    if not runs:
        raise PassFailed("failed", "the worker told no windows")
    return runs[0], seen


class Recording:
    """`with Recording(meters) as recording:` records; then its `traces` and `faults` are there.

    A meter that fails is a fault by its name and stops nobody else; all are stopped in the end.
    """

    def __init__(self, meters: Sequence[Meter]) -> None:
        self._meters = meters
        self._around = ExitStack()
        self.traces: list[Trace] = []
        self.faults: dict[str, str] = {}

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that meters run: their work is not foreign."""
        found = (getattr(meter, "pid", None) for meter in self._meters)
        return tuple(pid for pid in found if isinstance(pid, int))

    def __enter__(self) -> Recording:  # noqa: PYI034 - `Self` is Python 3.11's
        try:
            for meter in self._meters:
                # First, so that an interrupt during `start` stops what it has begun.
                self._around.callback(self._stop, meter)
                self._start(meter)
        except BaseException:
            self._around.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._around.close()

    def _start(self, meter: Meter) -> None:
        try:
            meter.start()
        except Exception as error:  # noqa: BLE001 - a stranger's meter must not end a run
            self.faults[meter.name] = f"could not start: {error}"

    def _stop(self, meter: Meter) -> None:
        try:
            trace = meter.stop()
            if meter.name not in self.faults:
                self.traces.append(trace)
        except Exception as error:  # noqa: BLE001 - as above
            self.faults.setdefault(meter.name, f"could not stop: {error}")


def _idle(seconds: float) -> Span:
    start_ns = time.monotonic_ns()
    time.sleep(seconds)
    return start_ns, time.monotonic_ns()


def _readings(run: _Run, seen: Watched) -> tuple[EnergyReading, ...]:
    failed = [_absent(name, reason) for name, reason in run.faults.items()]
    if seen.decision.action == "give_up":
        why = f"no valid window: {seen.decision.reason}"
        return (*failed, *(_absent(trace.meter, why) for trace in run.traces))
    disturbed = [rule for span in run.idle for rule in seen.broken(span, IDLE)]
    return (*failed, *(_reading(trace, run, disturbed) for trace in run.traces))


def _absent(meter: str, reason: str) -> EnergyReading:
    return EnergyReading(meter=meter, absent=reason)


def _reading(trace: Trace, run: _Run, disturbed: Sequence[str]) -> EnergyReading:
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
