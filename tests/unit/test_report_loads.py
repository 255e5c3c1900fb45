"""What stands beside a load shape in the notes."""

from __future__ import annotations

from msgspec import structs

from steelyard import stats
from steelyard.loads import SustainedResult, Warmed
from steelyard.record import Evidence
from steelyard.report import loads

MINUTE = 60_000_000_000
WARMED = Warmed(calls=10, seconds=1.0, settled=True)
# A call a second for two minutes: 10 ms at first, 20 ms in the second minute.
SUSTAINED = SustainedResult(
    start_ns=stats.pack([MINUTE * second // 60 for second in range(121)]),
    call_ns=stats.pack([10_000_000] * 60 + [20_000_000] * 61),
    calls=121,
    every=1,
    answers=(),
    warm_up=WARMED,
)
HOT = Evidence(
    window="load sustained",
    seconds=120.0,
    readings=121,
    lowest_temperature_c=48.2,
    highest_temperature_c=84.6,
    lowest_clock_hz=1_000_000_000,
    highest_clock_hz=2_400_000_000,
    throttled=("frequency capped",),
)
SILENT = Evidence(window="load sustained 2", seconds=120.0, readings=121)


def test_a_sustained_run_has_its_temperature_and_clock_beside_it() -> None:
    (line,) = loads.lines((SUSTAINED,), (structs.replace(HOT, window="latency"), HOT))

    assert line.startswith("sustained: median of the last minute 20 ms, 2.00 times")
    assert line.endswith(
        "; temperature 48 to 85 C, clock 1.00 to 2.40 GHz, throttled (frequency capped)"
    )


def test_each_sustained_run_has_its_own_and_what_is_not_told_is_said() -> None:
    first, second = loads.lines((SUSTAINED, SUSTAINED), (HOT, SILENT))

    assert "48 to 85 C" in first
    assert second.endswith("; temperature not told, clock not told")


def test_a_window_that_was_given_up_is_beside_nothing() -> None:
    broken = structs.replace(SILENT, window="load sustained", broken=("swapped",))

    (line,) = loads.lines((SUSTAINED,), (broken, structs.replace(HOT, window="load sustained 2")))

    assert "48 to 85 C" in line


def test_a_run_without_evidence_says_nothing_of_heat() -> None:
    assert "temperature" not in next(loads.lines((SUSTAINED,), ()))
