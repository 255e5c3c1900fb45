"""How the processor's clock is governed: policies, governor, turbo."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from steelyard.host.machine import Machine


class Policy(Struct, frozen=True, kw_only=True):
    """One cpufreq policy: cores that share a clock. Clocks in hertz, None where unreadable.

    `hardware_max_hz` is what the silicon can do, `max_hz` what the system lets it.
    """

    name: str
    governor: str | None = None
    min_hz: int | None = None
    max_hz: int | None = None
    hardware_max_hz: int | None = None

    @property
    def pinned(self) -> bool:
        """Say whether the clock is held at one value."""
        return self.governor == "performance" or (
            self.min_hz is not None and self.min_hz == self.max_hz
        )


def folders(machine: Machine) -> tuple[Path, ...]:
    """Return the folders of the cpufreq policies, by number."""
    found = machine.glob("sys/devices/system/cpu/cpufreq/policy*")
    return tuple(sorted(found, key=_number))


def policies(machine: Machine) -> tuple[Policy, ...]:
    """Return the cpufreq policies; none where the kernel does not govern the clock."""
    return tuple(
        Policy(
            name=folder.name,
            governor=governor(machine, folder),
            min_hz=hertz(machine.read(folder / "scaling_min_freq")),
            max_hz=hertz(machine.read(folder / "scaling_max_freq")),
            hardware_max_hz=hertz(machine.read(folder / "cpuinfo_max_freq")),
        )
        for folder in folders(machine)
    )


def governor(machine: Machine, folder: Path) -> str | None:
    """Return the governor of the policy in `folder`."""
    return (machine.read(folder / "scaling_governor") or "").strip() or None


def turbo(machine: Machine) -> bool | None:
    """Say whether the clock may rise above its nominal rate; None where nothing says so.

    intel_pstate says `no_turbo`, acpi-cpufreq and amd-pstate say `boost`.
    """
    no_turbo = (machine.read("sys/devices/system/cpu/intel_pstate/no_turbo") or "").strip()
    if no_turbo in ("0", "1"):
        return no_turbo == "0"
    boost = (machine.read("sys/devices/system/cpu/cpufreq/boost") or "").strip()
    return boost == "1" if boost in ("0", "1") else None


def hertz(text: str | None) -> int | None:
    """Read a file of cpufreq, in kHz: `600000`; a core that is off says `<unknown>`."""
    found = (text or "").strip()
    return int(found) * 1000 or None if found.isascii() and found.isdigit() else None


def _number(folder: Path) -> tuple[int, str]:
    digits = re.sub(r"\D", "", folder.name)
    return (int(digits) if digits else 0, folder.name)
