"""Temperature sensors and other hwmon entries, found by name and never by number."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from steelyard.host.machine import Machine

# Drivers of processor sensors: Raspberry Pi and other Arm boards, Intel, AMD.
PROCESSOR_CHIPS = ("cpu_thermal", "coretemp", "k10temp", "zenpower")
# Thermal zones of processors: `cpu-thermal`, Jetson's `CPU-therm` and `tj-thermal` (the hottest
# spot of the chip), `bigcore0-thermal`. Not `soc0-thermal`, nor `PMIC-Die`, which reads 100 always.
PROCESSOR_ZONES = re.compile(
    r"(cpu|tj|x86_pkg_temp|(big|little|mid)?core|soc-thermal$)", re.IGNORECASE
)
# A part of a Jetson that is switched off reads -256 degrees. No silicon works below -100.
OFFLINE_C = -100.0


class Sensor(Struct, frozen=True, kw_only=True):
    """A temperature to be read, in thousandths of a degree Celsius, at `path`."""

    name: str
    path: Path


class Temperature(Struct, frozen=True, kw_only=True):
    """What a sensor read."""

    celsius: float
    sensor: str


def hwmon(machine: Machine, name: str) -> tuple[Path, ...]:
    """Return the folders of the hwmon entries whose driver calls itself `name`."""
    found = machine.glob("sys/class/hwmon/hwmon*/name")
    return tuple(path.parent for path in found if (machine.read(path) or "").strip() == name)


def processor_sensors(machine: Machine) -> tuple[Sensor, ...]:
    """Return the sensors of the processor: those of hwmon, else the thermal zones."""
    chips = [(name, folder) for name in PROCESSOR_CHIPS for folder in hwmon(machine, name)]
    found = [sensor for name, folder in chips for sensor in _inputs(machine, name, folder)]
    return tuple(found) or _zones(machine)


def hottest(machine: Machine, sensors: tuple[Sensor, ...]) -> Temperature | None:
    """Return the highest reading; None where no sensor answers."""
    read = [(celsius(machine.read(sensor.path)), sensor.name) for sensor in sensors]
    known = [
        Temperature(celsius=degrees, sensor=name) for degrees, name in read if degrees is not None
    ]
    return max(known, key=lambda one: one.celsius, default=None)


def celsius(text: str | None) -> float | None:
    """Read `48700` as 48.7 degrees; None for a part that is switched off, and for garbage."""
    found = re.fullmatch(r"-?[0-9]{1,7}", (text or "").strip())
    degrees = int(found[0]) / 1000 if found else None
    return degrees if degrees is not None and degrees > OFFLINE_C else None


def _inputs(machine: Machine, chip: str, folder: Path) -> list[Sensor]:
    paths = machine.glob(f"{_below(machine, folder)}/temp*_input")
    labels = {path: _label(machine, path) for path in paths}
    kept = _telling(set(labels.values()))
    return [
        Sensor(name=f"{chip} {label}".strip(), path=path)
        for path, label in labels.items()
        if kept is None or label in kept
    ]


def _telling(labels: set[str]) -> set[str] | None:
    """Return the labels worth reading; None for all.

    Intel's package is the hottest of its cores. AMD's Tctl has an offset on some models: Tdie is
    the temperature where there are both (kernel documentation, k10temp).
    """
    packages = {label for label in labels if label.startswith("Package id")}
    if packages:
        return packages
    return labels - {"Tctl"} if "Tdie" in labels else None


def _label(machine: Machine, path: Path) -> str:
    beside = path.with_name(path.name.replace("_input", "_label"))
    return (machine.read(beside) or "").strip()


def _zones(machine: Machine) -> tuple[Sensor, ...]:
    types = machine.glob("sys/class/thermal/thermal_zone*/type")
    named = [((machine.read(path) or "").strip(), path.parent) for path in types]
    return tuple(
        Sensor(name=name, path=folder / "temp")
        for name, folder in named
        if PROCESSOR_ZONES.match(name)
    )


def _below(machine: Machine, folder: Path) -> Path:
    return folder.relative_to(machine.root)
