"""From traces and windows to readings; what meters that fail leave behind."""

from __future__ import annotations

import pytest
from msgspec import structs
from tests.unit import looks

from steelyard.api import Channel, Meter, Trace
from steelyard.card import Metering
from steelyard.job import EnergyWindow, Metered
from steelyard.lookout import Watched
from steelyard.measure.energy_readings import Run, lengthened, readings
from steelyard.measure.recording import Recording
from steelyard.record import EnergyReading
from steelyard.validity import Decision

SECOND = looks.SECOND
KEEP = Watched(
    decision=Decision(action="keep"),
    readings=tuple(looks.reading(second) for second in range(41)),
)


def trace(name: str = "rail") -> Trace:
    """Idle at 2 W for 10 s, work at 10 W for 20 s, idle at 2 W for 10 s; ten readings a second."""
    times = [tenth * SECOND // 10 for tenth in range(401)]
    watts = [10.0 if 10 * SECOND <= time_ns <= 30 * SECOND else 2.0 for time_ns in times]
    channel = Channel(name="in", unit="W", times_ns=tuple(times), values=tuple(watts))
    return Trace(
        meter=name,
        method="sampled",
        scope="board",
        covers=("board",),
        channels=(channel,),
        gain_uncertainty=0.0,
        update_interval_s=0.1,
    )


def run(**changes: object) -> Run:
    windows = (
        EnergyWindow(start_ns=10 * SECOND, end_ns=20 * SECOND, calls=50),
        EnergyWindow(start_ns=20 * SECOND, end_ns=30 * SECOND, calls=50),
    )
    whole = Run(
        told=Metered(windows=windows),
        idle=((0, 9 * SECOND), (31 * SECOND, 40 * SECOND)),
        traces=(trace(),),
        faults={},
    )
    return structs.replace(whole, **changes)


def only(readings: tuple[EnergyReading, ...]) -> EnergyReading:
    (reading,) = readings
    return reading


def test_a_call_has_its_share_of_the_work_gross_and_net_of_idle() -> None:
    reading = only(readings(run(), KEEP))

    # 10 W for 10 s are 100 J a window of 50 calls; idling takes 2 of the 10 W.
    assert reading.gross_j == pytest.approx(2.0)
    assert reading.net_j == pytest.approx(1.6)
    assert reading.watts == pytest.approx(10.0)
    assert reading.idle_watts == pytest.approx(2.0)
    assert reading.seconds_a_call == pytest.approx(0.2)
    assert (reading.calls, reading.windows, reading.tier) == (100, 2, 2)


def test_a_disturbed_idle_leaves_the_gross_figure_alone() -> None:
    # The idle before the work lies where somebody else used a core for ten seconds.
    busy = [looks.reading(second, busy_s=5000.0 + 2.0 * second) for second in range(41)]
    seen = structs.replace(KEEP, readings=tuple(busy))

    reading = only(readings(run(), seen))

    assert reading.gross_j == pytest.approx(2.0)
    assert reading.net_j is None
    assert "idle was disturbed: other processes used 1.00" in (reading.no_net or "")


def test_an_invalid_window_has_no_energy() -> None:
    given_up = Watched(decision=Decision(action="give_up", reason="3 tries; the last: hot"))

    reading = only(readings(run(), given_up))

    assert reading.gross_j is None
    assert reading.absent == "no valid window: 3 tries; the last: hot"


def test_a_window_too_short_for_the_sensor_says_how_long_would_do() -> None:
    short = Metered(windows=(EnergyWindow(start_ns=10 * SECOND, end_ns=12 * SECOND, calls=1),))

    reading = only(readings(run(told=short), KEEP))

    assert reading.gross_j is None
    assert "50 are needed: repeat the work for" in (reading.absent or "")


@pytest.mark.parametrize(("seconds", "wanted"), [(2, 5.5), (4, 5.5), (5, None)])
def test_windows_are_made_long_enough_for_fifty_updates(seconds: int, wanted: float | None) -> None:
    # Ten updates a second, the first and the last of them at the window's ends.
    window = EnergyWindow(start_ns=12 * SECOND, end_ns=(12 + seconds) * SECOND, calls=1)
    metering = Metering(window_seconds=seconds)

    longer = lengthened(run(told=Metered(windows=(window,))), metering)

    found = longer.window_seconds if longer else None
    assert found == (pytest.approx(wanted, rel=0.03) if wanted else None)


def test_a_sensor_that_is_far_too_slow_keeps_its_refusal() -> None:
    times = tuple(range(0, 401 * SECOND, 20 * SECOND))
    channel = Channel(name="in", unit="W", times_ns=times, values=(1.0,) * len(times))
    slow = structs.replace(trace(), channels=(channel,), update_interval_s=20.0)
    window = EnergyWindow(start_ns=100 * SECOND, end_ns=300 * SECOND, calls=1)
    told = Metered(windows=(window,))

    assert lengthened(run(told=told, traces=(slow,)), Metering(window_seconds=100)) is None


class Sick:
    """A meter that fails where the test says; counts its stops."""

    def __init__(self, name: str, fails: str = "") -> None:
        self.name = name
        self.fails = fails
        self.stops = 0

    def refuse(self) -> str | None:
        return None

    def start(self) -> None:
        if self.fails == "start":
            raise RuntimeError("no current")

    def stop(self) -> Trace:
        self.stops += 1
        if self.fails == "stop":
            raise OSError("gone")
        return trace(self.name)


def test_a_meter_that_fails_stops_no_other_and_is_named() -> None:
    sick: list[Sick] = [Sick("a", "start"), Sick("b", "stop"), Sick("c")]
    meters: list[Meter] = list(sick)

    with Recording(meters) as recording:
        pass

    assert [meter.stops for meter in sick] == [1, 1, 1]
    assert [one.meter for one in recording.traces] == ["c"]
    assert recording.faults == {"a": "could not start: no current", "b": "could not stop: gone"}


def test_an_interrupt_while_recording_stops_every_meter() -> None:
    sick = [Sick("a"), Sick("b")]

    with pytest.raises(KeyboardInterrupt), Recording(list[Meter](sick)):
        raise KeyboardInterrupt

    assert [meter.stops for meter in sick] == [1, 1]
