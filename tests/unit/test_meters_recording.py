"""The reading loop: its own pace, faults that are kept, counters that run round."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.errors import MeterError
from steelyard.meters.counting import unwrap
from steelyard.meters.recording import LOST_IN_A_ROW, Pace, Readings, Recording

SECOND = 1_000_000_000


class Steps:
    """A clock that goes on by `seconds` with each wait, `times` waits long."""

    def __init__(self, times: int, seconds: float = 1.0) -> None:
        self._left = times
        self._step_ns = round(seconds * SECOND)
        self._now_ns = 0
        self.waited_s: list[float] = []
        self.pace = Pace(clock=lambda: self._now_ns, wait=self._wait)

    def _wait(self, stopped: threading.Event, seconds: float) -> bool:
        if self._left == 0:
            return True
        self._left -= 1
        self._now_ns += self._step_ns
        self.waited_s.append(seconds)
        return False


def read_all(read: Callable[[], tuple[float, ...]], steps: Steps, channels: int = 1) -> Readings:
    recording = Recording(read, channels, 0.5, steps.pace)
    recording.start()
    return recording.stop()


def test_a_recording_begins_at_once_and_waits_its_interval_between_readings() -> None:
    numbers = iter([1.0, 2.0, 3.0, 4.0])
    steps = Steps(times=2)

    readings = read_all(lambda: (next(numbers),), steps)

    assert readings.times_ns == (0, SECOND, 2 * SECOND)
    assert readings.columns == ((1.0, 2.0, 3.0),)
    assert steps.waited_s == [0.5, 0.5]
    assert readings.faults == ()


def test_a_reading_is_stamped_half_way_between_asking_and_answer() -> None:
    ticks = iter([0, 100, 140, 900, 1000])
    pace = Pace(clock=ticks.__next__, wait=lambda *_: True)
    recording = Recording(lambda: (7.0,), 1, 0.5, pace)

    recording.start()

    # The start asks for the time once, then before and after each of the two readings.
    assert recording.stop().times_ns == (120, 950)


def test_a_lost_reading_is_named_and_the_next_ones_are_kept() -> None:
    answers = iter([1.0, None, 3.0, 3.0])

    def read() -> tuple[float, ...]:
        answer = next(answers)
        if answer is None:
            raise MeterError("rail: unreadable")
        return (answer,)

    readings = read_all(read, Steps(times=2))

    assert readings.columns == ((1.0, 3.0),)
    assert readings.times_ns == (0, 2 * SECOND)
    assert readings.faults == ("rail: unreadable (1.0 s after the start)",)


def test_a_sensor_that_stays_silent_is_given_up() -> None:
    asked: list[int] = []

    def read() -> tuple[float, ...]:
        asked.append(1)
        raise OSError(5, "Input/output error")

    readings = read_all(read, Steps(times=100), channels=2)

    assert len(asked) == LOST_IN_A_ROW
    assert readings.columns == ((), ())
    assert "Input/output error" in readings.faults[0]


def test_an_unforeseen_error_of_a_sensor_is_a_fault_too() -> None:
    def read() -> tuple[float, ...]:
        raise ZeroDivisionError("division by zero")

    readings = read_all(read, Steps(times=0))

    assert readings.faults[0].startswith("ZeroDivisionError: division by zero")


def test_many_faults_are_counted_not_listed() -> None:
    answers = iter([1.0, *([None, 1.0] * 9), 1.0])

    def read() -> tuple[float, ...]:
        answer = next(answers)
        if answer is None:
            raise MeterError("gone")
        return (answer,)

    readings = read_all(read, Steps(times=18))

    assert len(readings.faults) == 6
    assert readings.faults[-1] == "and 4 more faults"


@settings(max_examples=40)
@given(
    size=st.integers(1_000, 10**12),
    start=st.integers(0, 10**12),
    shares=st.lists(st.floats(0, 0.99), max_size=40),
)
def test_what_a_counter_counted_does_not_depend_on_where_it_wraps(
    size: int, start: int, shares: list[float]
) -> None:
    # Each step is less than a whole turn; slow enough that none is taken for a reset.
    steps = [int(share * size) for share in shares]
    counts = [start]
    for step in steps:
        counts.append(counts[-1] + step)
    raw = [float(count % size) for count in counts]
    times_ns = [i * 3_600 * SECOND for i in range(len(raw))]

    counted = unwrap(times_ns, raw, 1e-6, size)

    assert counted.fault is None
    expected = [1e-6 * (count - start) for count in counts]
    assert list(counted.joules) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert list(counted.joules) == sorted(counted.joules)


def test_a_counter_without_a_range_that_falls_was_reset() -> None:
    counted = unwrap([0, SECOND, 2 * SECOND], [5.0, 9.0, 1.0], 1e-3, None)

    assert list(counted.joules) == pytest.approx([0.0, 0.004])
    assert counted.fault == "the counter was reset: 1 after 9"


def test_a_counter_that_was_never_read_counted_nothing() -> None:
    assert unwrap([], [], 1e-6, 1000).joules == ()
