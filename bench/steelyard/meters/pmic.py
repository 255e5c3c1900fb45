"""The Raspberry Pi 5's power management chip, read with vcgencmd."""

from __future__ import annotations

import re
from math import isfinite

from steelyard.api import Channel, Trace
from steelyard.errors import MeterError
from steelyard.host.machine import Machine
from steelyard.meters.recording import Pace, Recording, started

COMMAND = ("vcgencmd", "pmic_read_adc")
# A call takes about 0.1 s, nearly all of it waiting for the firmware.
INTERVAL_S = 0.2
# Raspberry Pi publishes no accuracy, and the wall fit is a community's, of a few boards.
GAIN = 0.10
# Wall power of the sum over the rails: a community fit, given with the readings it explains in
# many Pi 5 monitors; nobody states its residuals.
FIT_SLOPE, FIT_OFFSET_W = 1.1451, 0.5879

RAILS, WALL = "rails", "wall-estimate"
NOTES = (
    "the chip's rails: its own losses, USB devices, HATs and the fan are not counted",
    f"{WALL} is {FIT_SLOPE} x rails + {FIT_OFFSET_W} W, a community fit: shown, never counted",
    "u_gain 10 %: Raspberry Pi publishes no accuracy (community fit)",
)

_ADC = re.compile(
    r"\s*(?P<rail>\S+)_(?P<unit>[AV])\s+(?:current|volt)\(\d+\)=(?P<number>[-+.\deE]+)(?P=unit)\s*"
)


class Pmic:
    """Samples the sum of the rails that have both a voltage and a current."""

    name = "pi5-pmic"

    def __init__(self, machine: Machine, pace: Pace | None = None) -> None:
        self._machine = machine
        self._pace = pace or Pace()
        self._rails: frozenset[str] | None = None
        self._recording: Recording | None = None

    def refuse(self) -> str | None:
        """Say that this is no Pi 5, or how to be allowed to ask its firmware."""
        model = (self._machine.read("proc/device-tree/model") or "").strip("\0\n ")
        if "Raspberry Pi" not in model:
            return "no Raspberry Pi 5: only its power management chip measures currents"
        answer = self._machine.ask(COMMAND)
        if answer is not None and powers(answer):
            return None
        if answer is None and _senses_current(model):
            return (
                "vcgencmd pmic_read_adc failed: it needs vcgencmd (apt install raspi-utils) and "
                "/dev/vcio: sudo usermod -aG video $USER, then log in again"
            )
        return f"{model} senses no current: measure it with an external meter"

    def start(self) -> None:
        """Begin to record the sum over the rails."""
        self._rails = None
        self._recording = Recording(self._read, 1, INTERVAL_S, self._pace)
        self._recording.start()

    def stop(self) -> Trace:
        """Return the rails' sum, and the wall power that a community fit makes of it."""
        readings = started(self._recording, self.name).stop()
        rails = readings.columns[0]
        wall = tuple(FIT_SLOPE * watts + FIT_OFFSET_W for watts in rails)
        times_ns = readings.times_ns
        return Trace(
            meter=self.name,
            method="sampled",
            scope="board",
            covers=("board",),
            channels=(
                Channel(name=RAILS, unit="W", times_ns=times_ns, values=rails),
                Channel(name=WALL, unit="W", times_ns=times_ns, values=wall, role="shown"),
            ),
            gain_uncertainty=GAIN,
            update_interval_s=INTERVAL_S,
            notes=NOTES,
            faults=readings.faults,
        )

    def _read(self) -> tuple[float, ...]:
        found = powers(self._machine.ask(COMMAND) or "")
        if not found:
            raise MeterError("vcgencmd pmic_read_adc gave no pair of voltage and current")
        # A line lost on the way would look like a drop of power.
        self._rails = self._rails or frozenset(found)
        missing = self._rails - found.keys()
        if missing:
            raise MeterError(f"vcgencmd pmic_read_adc left out {', '.join(sorted(missing))}")
        return (sum(found[rail] for rail in sorted(self._rails)),)


def powers(text: str) -> dict[str, float]:
    """Return watts by rail, paired by name: EXT5V and BATT have no current and drop out."""
    read: dict[str, dict[str, float]] = {"A": {}, "V": {}}
    for line in text.splitlines():
        match = _ADC.fullmatch(line)
        number = _number(match["number"]) if match else None
        if match and number is not None:
            read[match["unit"]][match["rail"]] = number
    currents, volts = read["A"], read["V"]
    return {rail: currents[rail] * volts[rail] for rail in currents if rail in volts}


def _senses_current(model: str) -> bool:
    return any(name in model for name in ("Pi 5", "Module 5"))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None
