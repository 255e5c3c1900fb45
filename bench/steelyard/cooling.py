"""Start a pass as warm as the run's first one was: wait for that temperature, not for a time."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct


class Gate(Struct, frozen=True, kw_only=True):
    """When a pass may start. A board that heats its case needs minutes to come back to 2 degrees.

    The sensor is read every `look_s` seconds, while nothing is measured.
    """

    within_c: float = 2.0
    longest_s: float = 180.0
    look_s: float = 2.0


class Start(Struct, frozen=True, kw_only=True):
    """How a pass began. `temperature_c` is None where no sensor was read.

    `said` is what a reader of the record must know: None where the start is as the first one.
    """

    temperature_c: float | None
    waited_s: float
    said: str | None = None


Thermometer = Callable[[], float | None]
Wait = Callable[[float], object]


def await_start(
    read_c: Thermometer, reference_c: float | None, wait: Wait, gate: Gate | None = None
) -> Start:
    """Wait until the device is at most `gate.within_c` above `reference_c`, degrees Celsius.

    The first start of a run has no reference and becomes it. Waiting warms nothing: a colder
    device starts at once. Time is what `wait` was asked for, so a suspended machine adds none.
    """
    gate = gate or Gate()
    waited_s = 0.0
    now_c = read_c()
    if now_c is None:
        return Start(temperature_c=None, waited_s=0.0, said="no temperature sensor: no gated start")
    if reference_c is None:
        return Start(temperature_c=now_c, waited_s=0.0)
    while now_c > reference_c + gate.within_c and waited_s < gate.longest_s:
        step_s = min(gate.look_s, gate.longest_s - waited_s)
        wait(step_s)
        waited_s += step_s
        later_c = read_c()
        if later_c is None:
            said = f"the temperature sensor fell silent after {waited_s:g} s of waiting"
            return Start(temperature_c=None, waited_s=waited_s, said=said)
        now_c = later_c
    return Start(
        temperature_c=now_c, waited_s=waited_s, said=_said(now_c - reference_c, waited_s, gate)
    )


def _said(above_c: float, waited_s: float, gate: Gate) -> str | None:
    if above_c > gate.within_c:
        return (
            f"started {above_c:.1f} degrees warmer than the run's first pass, "
            f"after waiting {waited_s:g} s"
        )
    if above_c < -gate.within_c:
        return f"started {-above_c:.1f} degrees colder than the run's first pass"
    return None
