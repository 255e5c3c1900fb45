"""What holds the clock back: under-voltage, heat, over-current; as words and as counters."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from steelyard.host import raspberry
from steelyard.host.machine import Machine
from steelyard.host.sensors import hwmon

GET_THROTTLED = ("vcgencmd", "get_throttled")

# Cooling devices that cool by lowering a clock; a fan that turns is no reason to doubt a window.
SLOWING = re.compile(r"(thermal-cpufreq|cpufreq|Processor$|cpu-balanced|.*throttle-alert)")


class Count(Struct, frozen=True, kw_only=True):
    """How often something has held the clock back since boot."""

    name: str
    count: int


class Cooler(Struct, frozen=True, kw_only=True):
    """A cooling device that slows the processor down while its state is above 0."""

    name: str
    path: Path


class Sources(Struct, frozen=True, kw_only=True):
    """Where this device tells of throttling; found once, read often."""

    firmware: bool = False
    alarms: tuple[Path, ...] = ()
    coolers: tuple[Cooler, ...] = ()
    counters: tuple[tuple[str, Path], ...] = ()


class Throttling(Struct, frozen=True, kw_only=True):
    """What the sources say; None where there is no source of that kind."""

    now: tuple[str, ...] | None = None
    since_boot: tuple[str, ...] | None = None
    counts: tuple[Count, ...] | None = None


def sources(machine: Machine, *, raspberry_pi: bool) -> Sources:
    """Find out where `machine` tells of throttling."""
    firmware = raspberry_pi and raspberry.throttled(machine.ask(GET_THROTTLED)) is not None
    # The firmware's own word covers the alarm, which knows of under-voltage only.
    alarms = () if firmware else hwmon(machine, "rpi_volt")
    return Sources(
        firmware=firmware,
        alarms=tuple(folder / "in0_lcrit_alarm" for folder in alarms),
        coolers=_coolers(machine),
        counters=(*_intel(machine), *_jetson(machine)),
    )


def read(machine: Machine, where: Sources) -> Throttling:
    """Read the sources."""
    firmware = raspberry.throttled(machine.ask(GET_THROTTLED)) if where.firmware else None
    live = list(firmware.now) if firmware else []
    alarms = [_number(machine, path) for path in where.alarms]
    states = [(cooler.name, _number(machine, cooler.path)) for cooler in where.coolers]
    live += ["under-voltage" for alarm in alarms if alarm]
    live += [f"slowed by {name}" for name, state in states if state is not None and state > 0]
    said = [firmware, *alarms, *(state for _, state in states)]
    return Throttling(
        now=tuple(live) if any(one is not None for one in said) else None,
        since_boot=firmware.since_boot if firmware else None,
        counts=_counts(machine, where),
    )


def _counts(machine: Machine, where: Sources) -> tuple[Count, ...] | None:
    """Add up the counters of one name, over all cores."""
    sums: dict[str, int] = {}
    for name, path in where.counters:
        count = _number(machine, path)
        if count is not None:
            sums[name] = sums.get(name, 0) + count
    return tuple(Count(name=name, count=count) for name, count in sums.items()) or None


def _intel(machine: Machine) -> list[tuple[str, Path]]:
    """Find the counters of packages and cores, once where several processors share one."""
    found: dict[tuple[str | None, ...], tuple[str, Path]] = {}
    for path in machine.glob("sys/devices/system/cpu/cpu*/thermal_throttle/*_throttle_count"):
        name = path.name.removesuffix("_throttle_count")
        topology = path.parent.parent / "topology"
        package = machine.read(topology / "physical_package_id")
        core = machine.read(topology / "core_id") if name == "core" else None
        own = path.parent.parent.name if package is None else None
        found.setdefault((name, package, core, own), (name, path))
    return list(found.values())


def _jetson(machine: Machine) -> list[tuple[str, Path]]:
    """Find the over-current events of the power supply's monitor, as `oc1`, `oc2`, `oc3`."""
    found = hwmon(machine, "soctherm_oc")
    paths = [path for folder in found for path in sorted(folder.glob("oc*_event_cnt"))]
    return [(path.name.removesuffix("_event_cnt"), path) for path in paths]


def _coolers(machine: Machine) -> tuple[Cooler, ...]:
    types = machine.glob("sys/class/thermal/cooling_device*/type")
    named = [((machine.read(path) or "").strip(), path.parent) for path in types]
    return tuple(
        Cooler(name=name, path=folder / "cur_state")
        for name, folder in named
        if SLOWING.match(name)
    )


def _number(machine: Machine, path: Path) -> int | None:
    found = re.fullmatch(r"-?[0-9]{1,18}", (machine.read(path) or "").strip())
    return int(found[0]) if found else None
