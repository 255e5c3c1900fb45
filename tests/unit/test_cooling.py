"""The gated start: as warm as the first one, or said."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from steelyard.cooling import Gate, Start, await_start


class Board:
    """A board whose sensor gives one reading after the other; waiting is counted, not done."""

    def __init__(self, readings: Sequence[float | None]) -> None:
        self.readings = list(readings)
        self.waits: list[float] = []

    def read_c(self) -> float | None:
        return self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)


def start(readings: Sequence[float | None], reference_c: float | None) -> tuple[Start, list[float]]:
    board = Board(readings)
    gate = Gate(within_c=2.0, longest_s=7.0, look_s=2.0)
    return await_start(board.read_c, reference_c, board.wait, gate), board.waits


def test_the_first_start_waits_for_nothing_and_is_the_reference() -> None:
    assert start([71.0], None) == (Start(temperature_c=71.0, waited_s=0.0), [])


def test_a_warm_board_waits_until_it_is_within_two_degrees() -> None:
    result, waits = start([58.0, 54.0, 52.1, 52.0, 40.0], 50.0)

    assert result == Start(temperature_c=52.0, waited_s=6.0)
    assert waits == [2.0, 2.0, 2.0]


def test_a_board_that_stays_warm_starts_after_the_longest_wait_and_says_so() -> None:
    result, waits = start([60.0], 50.0)

    assert waits == [2.0, 2.0, 2.0, 1.0]
    assert result.temperature_c == 60.0
    assert result.said == (
        "started 10.0 degrees warmer than the run's first pass, after waiting 7 s"
    )


def test_a_colder_board_starts_at_once_because_waiting_warms_nothing() -> None:
    result, waits = start([46.5], 50.0)

    assert waits == []
    assert result.said == "started 3.5 degrees colder than the run's first pass"


@pytest.mark.parametrize("temperature_c", [48.0, 52.0])
def test_two_degrees_either_way_are_as_the_first_start(temperature_c: float) -> None:
    assert start([temperature_c], 50.0)[0].said is None


def test_a_device_without_a_sensor_starts_at_once_and_says_so() -> None:
    result, waits = start([None], None)

    assert (result.temperature_c, waits) == (None, [])
    assert result.said == "no temperature sensor: no gated start"


def test_a_sensor_that_falls_silent_ends_the_wait() -> None:
    result, waits = start([60.0, 59.0, None], 50.0)

    assert waits == [2.0, 2.0]
    assert result.said == "the temperature sensor fell silent after 4 s of waiting"
