"""Find a Jetson's power rails: hwmon of JetPack 5 and later, iio of JetPack 4."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from steelyard.errors import MeterError
from steelyard.host.machine import Machine

# Channels 1 to 3 are rails; 4 to 6 are their shunts' voltages, 7 is the sum of the shunts'
# (Documentation/hwmon/ina3221.rst).
HWMON_CHANNELS = (1, 2, 3)
IIO_CHANNELS = (0, 1, 2)
# Not connected, or not a rail.
NOT_RAILS = ("", "NC", "sum of shunt voltages")
# One step of a shunt's voltage (INA3221 data sheet, SBOS576, 7.6): 40 uV.
SHUNT_STEP_V = 40e-6

Watts = Callable[[], float]


class Rail(Struct, frozen=True, kw_only=True):
    """A rail by its label, and how its watts are read. `step_w` where the shunt is known."""

    name: str
    watts: Watts
    step_w: float | None = None
    interval_s: float | None = None


def rails_of(machine: Machine) -> tuple[Rail, ...]:
    """Return all rails of the board, in the order of their chips."""
    return (*_hwmon(machine), *_iio(machine))


def _hwmon(machine: Machine) -> list[Rail]:
    found: list[Rail] = []
    for chip in machine.glob("sys/bus/i2c/devices/*/hwmon/hwmon*"):
        kind = _text(machine, chip / "name")
        if kind == "ina3221":
            rails = (_ina3221(machine, chip, n) for n in HWMON_CHANNELS)
            found.extend(rail for rail in rails if rail is not None)
        elif kind == "ina238" and _number(machine, chip / "power1_input") is not None:
            found.append(_ina238(machine, chip))
    return found


def _ina3221(machine: Machine, chip: Path, n: int) -> Rail | None:
    label = _text(machine, chip / f"in{n}_label")
    if label in NOT_RAILS or _text(machine, chip / f"in{n}_enable") == "0":
        return None
    volts, amperes = chip / f"in{n}_input", chip / f"curr{n}_input"
    shunt_uohm = _number(machine, chip / f"shunt{n}_resistor")
    millivolts = _number(machine, volts)
    step = None
    if shunt_uohm and millivolts:
        step = SHUNT_STEP_V / (1e-6 * shunt_uohm) * 1e-3 * millivolts
    interval_ms = _number(machine, chip / "update_interval")

    def watts() -> float:
        return 1e-6 * _known(machine, label, volts) * _known(machine, label, amperes)

    return Rail(
        name=label,
        watts=watts,
        step_w=step,
        interval_s=1e-3 * interval_ms if interval_ms else None,
    )


def _ina238(machine: Machine, chip: Path) -> Rail:
    """Return the carrier board's input of a Thor, which its only INA238 measures."""
    label = _text(machine, chip / "in1_label") or _text(machine, chip / "label") or "VIN"
    power = chip / "power1_input"
    return Rail(name=label, watts=lambda: 1e-6 * _known(machine, label, power))


def _iio(machine: Machine) -> list[Rail]:
    found: list[Rail] = []
    for chip in machine.glob("sys/bus/i2c/devices/*/iio:device*"):
        for n in IIO_CHANNELS:
            label = _text(machine, chip / f"rail_name_{n}")
            if label not in NOT_RAILS:
                found.append(Rail(name=label, watts=_milliwatts(machine, chip, n, label)))
    return found


def _milliwatts(machine: Machine, chip: Path, n: int, label: str) -> Watts:
    return lambda: 1e-3 * _known(machine, label, chip / f"in_power{n}_input")


def _text(machine: Machine, path: Path) -> str:
    return (machine.read(path) or "").strip()


def _number(machine: Machine, path: Path) -> int | None:
    text = _text(machine, path)
    return int(text) if text.removeprefix("-").isdecimal() else None


def _known(machine: Machine, label: str, path: Path) -> int:
    number = _number(machine, path)
    if number is None:
        raise MeterError(f"{label}: {path.name} is not readable")
    return number
