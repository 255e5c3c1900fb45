"""Texts that arrive when they will: at random or at a sensor's rate, latency from the arrival."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from math import ceil
from typing import Any

from msgspec import Struct

from steelyard import stats
from steelyard.api import Session
from steelyard.card import PoissonLoad, SensorLoad
from steelyard.loads import ArrivalTimes, PoissonResult, SensorResult
from steelyard.worker.clock import Clock, wait_until
from steelyard.worker.rig import Rig, distinct, quiet, warm_up


class Schedule(Struct, frozen=True, kw_only=True):
    """When texts arrive, in nanoseconds from the begin, ascending, and how long each may take."""

    arrivals: Sequence[int]
    seconds: float
    deadline_ns: int

    @property
    def give_up_ns(self) -> int:
        """Return when no arrival that is left can be answered in time any more."""
        return self.arrivals[-1] + self.deadline_ns if self.arrivals else 0


class Served(Struct, frozen=True, kw_only=True):
    """Nanoseconds and labels of the texts that were answered, in the order of arrival."""

    latency_ns: Sequence[int]
    service_ns: Sequence[int]
    labels: Sequence[str]


def poisson(rig: Rig, load: PoissonLoad) -> PoissonResult:
    """Serve arrivals at random."""
    schedule = poisson_schedule(load, rig.seed)
    return PoissonResult(rate_hz=load.rate_hz, seed=rig.seed, times=_times(rig, schedule))


def sensor(rig: Rig, load: SensorLoad) -> SensorResult:
    """Serve arrivals at a sensor's rate."""
    return SensorResult(rate_hz=load.rate_hz, times=_times(rig, sensor_schedule(load)))


def poisson_schedule(load: PoissonLoad, seed: int) -> Schedule:
    """Return arrivals with exponential gaps."""
    draw = random.Random(seed)  # noqa: S311 - a schedule, not a secret
    arrivals: list[int] = []
    at = draw.expovariate(load.rate_hz)
    while at < load.seconds:
        arrivals.append(int(at * 1e9))
        at += draw.expovariate(load.rate_hz)
    return Schedule(
        arrivals=arrivals, seconds=load.seconds, deadline_ns=round(load.deadline_s * 1e9)
    )


def sensor_schedule(load: SensorLoad) -> Schedule:
    """Return arrivals a period apart, the first at 0."""
    # Rounded first: 30 * 0.1 is 3.0000000000000004, which is no fourth arrival.
    count = ceil(round(load.rate_hz * load.seconds, 6))
    deadline_s = 1 / load.rate_hz if load.deadline_s is None else load.deadline_s
    return Schedule(
        arrivals=[round(index / load.rate_hz * 1e9) for index in range(count)],
        seconds=load.seconds,
        deadline_ns=round(deadline_s * 1e9),
    )


def serve(session: Session, asked: Sequence[Any], schedule: Schedule, clock: Clock) -> Served:
    """Answer each item from its arrival on, one after the other, until the schedule gives up.

    A call that runs into the next arrivals makes them wait, and their waiting counts: that is what
    a closed loop, which asks when it is free, leaves out (coordinated omission).
    """
    now = clock.now
    latency, service = array("q"), array("q")
    labels: list[str] = []
    count = len(asked)
    start = now()
    stop = start + schedule.give_up_ns
    for index, offset in enumerate(schedule.arrivals):
        payload = asked[index % count]
        due = start + offset
        wait_until(due, clock)
        began = now()
        if began > stop:
            break
        answer = session.decode(session.infer(session.encode(payload)))
        ended = now()
        latency.append(ended - due)
        service.append(ended - began)
        labels.append(answer.label)
    return Served(latency_ns=latency, service_ns=service, labels=labels)


def _times(rig: Rig, schedule: Schedule) -> ArrivalTimes:
    warmed, _ = warm_up(rig.answer, rig.timing, rig.clock)
    with quiet():
        served = serve(rig.session, rig.asked, schedule, rig.clock)
    return ArrivalTimes(
        seconds=schedule.seconds,
        deadline_ns=schedule.deadline_ns,
        arrivals=len(schedule.arrivals),
        unserved=len(schedule.arrivals) - len(served.labels),
        latency_ns=stats.pack(served.latency_ns),
        service_ns=stats.pack(served.service_ns),
        answers=distinct(rig.order, enumerate(served.labels)),
        warm_up=warmed,
    )
