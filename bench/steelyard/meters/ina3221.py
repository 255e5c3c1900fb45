"""INA3221: the power rails that a Jetson measures on its module."""

from __future__ import annotations

from steelyard.api import Channel, Trace
from steelyard.host.machine import Machine
from steelyard.meters.rails import Rail, rails_of
from steelyard.meters.recording import Pace, Recording, started

# A reading is an I2C transfer of some 0.3 ms a value: five times a second is far below 1 % of a
# core and gives 50 readings in 10 s.
INTERVAL_S = 0.2
# TI bounds the chip's gain error at 0.25 % (SBOS576); the shunts' tolerance and where NVIDIA put
# them are not published. 5 % is assumed, as a standard uncertainty of 5 %/sqrt(3) (GUM 4.3.7).
GAIN = 0.05 / 3**0.5
# The rails that hold all the others: the carrier board's input, the module's input.
TOTALS = ("VIN", "VDD_IN", "POM_5V_IN")

ABSENT = (
    "no INA3221 rails under /sys/bus/i2c/devices: only Jetson boards have them (in a container, "
    "mount /sys/bus/i2c)"
)
MODULE = "the module's input: the carrier board is not counted"
CARRIER = "the carrier board's input: module and carrier board"
SUM = "sum of the module's rails: without carrier board, and without what no rail measures"
NESTED = (
    "NVIDIA does not say whether VIN_SYS_5V0 feeds VDDQ_VDD2_1V8AO; if it does, that is counted "
    "twice"
)
MIXED = "VDD_CPU_GPU_CV is CPU, GPU and CV together"


class Ina3221:
    """Samples the rails. One total is counted where there is one, else the sum of all rails."""

    name = "ina3221"

    def __init__(self, machine: Machine, pace: Pace | None = None) -> None:
        self._machine = machine
        self._pace = pace or Pace()
        self._rails: tuple[Rail, ...] = ()
        self._recording: Recording | None = None

    def refuse(self) -> str | None:
        """Say that this is no Jetson."""
        return None if rails_of(self._machine) else ABSENT

    def start(self) -> None:
        """Begin to record all rails."""
        self._rails = rails_of(self._machine)
        self._recording = Recording(self._read, len(self._rails), INTERVAL_S, self._pace)
        self._recording.start()

    def stop(self) -> Trace:
        """Return the power of every rail."""
        readings = started(self._recording, self.name).stop()
        total = total_of(self._rails)
        return Trace(
            meter=self.name,
            method="sampled",
            scope="board",
            covers=("board",),
            channels=tuple(
                Channel(
                    name=rail.name,
                    unit="W",
                    times_ns=readings.times_ns,
                    values=column,
                    role="counted" if total in (None, rail.name) else "shown",
                    resolution=rail.step_w,
                )
                for rail, column in zip(self._rails, readings.columns, strict=True)
            ),
            gain_uncertainty=GAIN,
            update_interval_s=_slowest(self._rails),
            notes=_notes(self._rails, total),
            faults=readings.faults,
        )

    def _read(self) -> tuple[float, ...]:
        return tuple(rail.watts() for rail in self._rails)


def total_of(rails: tuple[Rail, ...]) -> str | None:
    """Return the rail that holds all others, or None where the rails must be added up."""
    names = {rail.name for rail in rails}
    return next((name for name in TOTALS if name in names), None)


def _slowest(rails: tuple[Rail, ...]) -> float:
    return max([INTERVAL_S, *(rail.interval_s or 0.0 for rail in rails)])


def _notes(rails: tuple[Rail, ...], total: str | None) -> tuple[str, ...]:
    names = {rail.name for rail in rails}
    notes = [SUM if total is None else CARRIER if total == "VIN" else MODULE]
    if total is None and {"VIN_SYS_5V0", "VDDQ_VDD2_1V8AO"} <= names:
        notes.append(NESTED)
    if "VDD_CPU_GPU_CV" in names:
        notes.append(MIXED)
    return (*notes, "u_gain: 5 % assumed for the shunts, whose tolerance is not published")
