"""Measure energy with every meter that this machine has; say why where it has none."""

from __future__ import annotations

import time
from collections.abc import Sequence

from msgspec import structs

from steelyard.api import Meter
from steelyard.card import Metering
from steelyard.emissions import figures, grid
from steelyard.energy import ENOUGH_UPDATES
from steelyard.evidence import Watch
from steelyard.host.meters import installed
from steelyard.job import Message, Metered
from steelyard.lookout import Watched
from steelyard.measure import lasting
from steelyard.measure.energy_readings import Run, Span, absent, lengthened, readings
from steelyard.measure.recording import Recording
from steelyard.measure.work import Stretch, Work, watched
from steelyard.record import CodecarbonSettings
from steelyard.spawn import PassFailed


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
        run, seen = _metered(work, ready, settings, work.planned.metering)
        longer = lengthened(run, work.planned.metering)
        if longer is not None and seen.decision.action != "give_up":
            seconds = f"{longer.window_seconds:.0f} s"
            work.told.say(f"a sensor is slow: windows of {seconds} for {ENOUGH_UPDATES} updates")
            run, seen = _metered(work, ready, settings, longer)
    except PassFailed as failure:
        reason = f"energy pass: {failure.outcome}: {failure.reason}"
        found.energy = tuple(absent(meter.name, reason) for meter in ready)
        if settings is not None:
            found.codecarbon = figures.nothing(settings, reason)
        return
    if settings is not None:
        found.codecarbon = run.told.codecarbon
    found.energy = readings(run, seen)


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
    work: Work,
    meters: Sequence[Meter],
    settings: CodecarbonSettings | None,
    metering: Metering,
) -> tuple[Run, Watched]:
    idle_s = metering.idle_seconds if meters else 0.0
    job = structs.replace(
        work.passes.job("energy", [work.timed_items]), metering=metering, codecarbon=settings
    )
    told: list[Metered] = []
    runs: list[Run] = []

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
            Run(
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


def _idle(seconds: float) -> Span:
    start_ns = time.monotonic_ns()
    time.sleep(seconds)
    return start_ns, time.monotonic_ns()
