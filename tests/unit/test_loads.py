"""Arrivals on a virtual clock: every figure is worked out by hand, nothing waits."""

from __future__ import annotations

from itertools import pairwise
from math import log

import pytest
from tests.unit.virtual import MS, SECOND, Slow, Virtual, rig

from steelyard import stats
from steelyard.card import (
    PoissonLoad,
    SensorLoad,
)
from steelyard.loads import (
    PoissonResult,
    SensorResult,
)
from steelyard.worker.arrivals import poisson_schedule, sensor_schedule, serve
from steelyard.worker.clock import Clock, wait_until
from steelyard.worker.loads import measure


def test_a_long_call_makes_the_next_arrivals_wait_and_their_waiting_counts() -> None:
    # Arrivals at 0, 100, 200, 300, 400 ms. The second call lasts until 350, so the third is
    # answered at 380, the fourth at 410, the fifth at 440: a closed loop would have seen 30 ms.
    time = Virtual()
    texts = ["30", "250", "30", "30", "30"]
    schedule = sensor_schedule(SensorLoad(rate_hz=10, seconds=0.5))

    served = serve(Slow(time), texts, schedule, time.clock())

    assert [ns // MS for ns in served.latency_ns] == [30, 250, 180, 110, 40]
    assert [ns // MS for ns in served.service_ns] == [30, 250, 30, 30, 30]


def test_a_sensor_tells_its_missed_deadlines() -> None:
    result = measure(
        rig(Slow(Virtual()), "30", "250", "30", "30", "30"), SensorLoad(rate_hz=10, seconds=0.5)
    )

    assert isinstance(result, SensorResult)
    times = result.times
    assert (times.deadline_ns, times.arrivals, times.unserved) == (100 * MS, 5, 0)
    good = stats.goodput(stats.unpack(times.latency_ns), times.deadline_ns, times.seconds)
    assert (good.in_time, good.missed_share, good.per_second) == (2, 0.6, 4.0)
    assert times.answers == (
        ("i0", "took 30"),
        ("i1", "took 250"),
        ("i2", "took 30"),
        ("i3", "took 30"),
        ("i4", "took 30"),
    )


def test_a_server_too_slow_stops_when_nothing_can_be_in_time_any_more() -> None:
    # The last arrival is due by 400 + 100 ms; the second answer is there at 600.
    result = measure(rig(Slow(Virtual()), "300"), SensorLoad(rate_hz=10, seconds=0.5))

    assert isinstance(result, SensorResult)
    assert stats.unpack(result.times.latency_ns) == (300 * MS, 500 * MS)
    assert (result.times.arrivals, result.times.unserved) == (5, 3)


def test_a_free_server_waits_for_the_next_arrival() -> None:
    time = Virtual()
    schedule = sensor_schedule(SensorLoad(rate_hz=4, seconds=1))

    serve(Slow(time), ["50"], schedule, time.clock())

    assert time.sleeps == pytest.approx([0.2, 0.2, 0.2])


def test_a_deadline_of_its_own_counts() -> None:
    schedule = sensor_schedule(SensorLoad(rate_hz=10, seconds=0.3, deadline_s=0.25))

    assert schedule.deadline_ns == 250 * MS
    assert list(schedule.arrivals) == [0, 100 * MS, 200 * MS]
    assert schedule.give_up_ns == 450 * MS


def test_random_arrivals_are_those_of_the_seed() -> None:
    load = PoissonLoad(rate_hz=100, seconds=100, deadline_s=0.1)

    one, same, other = (poisson_schedule(load, seed) for seed in (1, 1, 2))

    assert one == same
    assert one != other


def test_random_arrivals_have_exponential_gaps_at_the_rate() -> None:
    arrivals = poisson_schedule(
        PoissonLoad(rate_hz=100, seconds=100, deadline_s=0.1), seed=3
    ).arrivals
    gaps = [later - earlier for earlier, later in pairwise(arrivals)]

    # 10,000 are expected with a spread of 100; half the gaps are below ln 2 of the mean.
    assert abs(len(arrivals) - 10_000) < 400
    assert 0 < arrivals[0] < arrivals[-1] < 100 * SECOND
    assert abs(sum(gap < log(2) * 10 * MS for gap in gaps) / len(gaps) - 0.5) < 0.02


def test_random_arrivals_are_served_and_the_seed_is_told() -> None:
    result = measure(rig(Slow(Virtual()), "1"), PoissonLoad(rate_hz=5, seconds=10, deadline_s=0.5))

    assert isinstance(result, PoissonResult)
    assert result.seed == 1
    assert result.times.arrivals == len(stats.unpack(result.times.latency_ns))
    assert set(stats.unpack(result.times.service_ns)) == {MS}


def test_waiting_sleeps_and_then_spins() -> None:
    reads = iter([0, 9_400_000, 9_999_999, 10_000_000])
    slept: list[float] = []
    clock = Clock(now=lambda: next(reads), sleep=slept.append, spin_ns=500_000)

    wait_until(10_000_000, clock)

    assert slept == [0.0095]
    assert next(reads, None) is None


def test_a_moment_that_has_passed_is_not_waited_for() -> None:
    time = Virtual()

    wait_until(time.time_ns - 5, time.clock())

    assert time.sleeps == []
