"""RAPL: the energy counters of x86 packages and their memory, through Linux's powercap."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from steelyard.api import Channel, ChannelRole, Covered, Trace
from steelyard.errors import MeterError
from steelyard.host.machine import Machine
from steelyard.meters.counting import Counted, unwrap
from steelyard.meters.recording import Pace, Recording, started

# The counters move every millisecond (Intel SDM 3B, 16.10); ten readings a second cost nothing
# that can be seen and catch every wrap-around: the fastest takes minutes.
INTERVAL_S = 0.1
# The coarsest energy unit in use, 2**-14 J; the files' microjoules are computed from it.
STEP_J = 2.0**-14
# No maker publishes a bound. Intel has measured since Haswell; AMD's counters are computed from
# events in the chip and miss what depends on the data (Schoene et al., CLUSTER 2021).
GAIN = 0.05
GAIN_AMD = 0.10

ABSENT = (
    "no RAPL: /sys/class/powercap has no intel-rapl package zone. Virtual machines and Arm have "
    "none; on a bare x86 machine try: sudo modprobe intel_rapl_msr"
)
FORBIDDEN = (
    "RAPL is there but only root may read it (CVE-2020-8694: its counters leak secrets to other "
    "users of the machine). On a machine of your own: "
    "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj until the next start, or for good "
    'a udev rule: SUBSYSTEM=="powercap", ACTION=="add", RUN+="/bin/chmod a+r /sys%p/energy_uj", '
    "or only for this Python: sudo setcap cap_dac_read_search+ep on the real python binary"
)


class Zone(Struct, frozen=True, kw_only=True):
    """A powercap zone that takes part: `size` is its counter's range in microjoules."""

    name: str
    folder: Path
    role: ChannelRole
    size: int


class Rapl:
    """Counts packages and dram. Cores and uncore are part of a package; psys overlaps it."""

    name = "rapl"

    def __init__(self, machine: Machine, pace: Pace | None = None) -> None:
        self._machine = machine
        self._pace = pace or Pace()
        self._zones: tuple[Zone, ...] = ()
        self._recording: Recording | None = None

    def refuse(self) -> str | None:
        """Say that there is no RAPL, or how to be allowed to read it."""
        zones = zones_of(self._machine)
        if not any(zone.role == "counted" for zone in zones):
            return ABSENT
        readable = all(self._machine.read(zone.folder / "energy_uj") is not None for zone in zones)
        return None if readable else FORBIDDEN

    def start(self) -> None:
        """Begin to record all zones."""
        self._zones = zones_of(self._machine)
        self._recording = Recording(self._read, len(self._zones), INTERVAL_S, self._pace)
        self._recording.start()

    def stop(self) -> Trace:
        """Return the zones' counters, unwrapped."""
        readings = started(self._recording, self.name).stop()
        counted = [
            unwrap(readings.times_ns, column, 1e-6, zone.size)
            for zone, column in zip(self._zones, readings.columns, strict=True)
        ]
        pairs = list(zip(self._zones, counted, strict=True))
        resets = (f"{zone.name}: {count.fault}" for zone, count in pairs if count.fault)
        amd = "AuthenticAMD" in (self._machine.read("proc/cpuinfo") or "")
        return Trace(
            meter=self.name,
            method="counter",
            scope="package",
            covers=_covers(self._zones),
            channels=tuple(_channel(zone, count) for zone, count in pairs),
            gain_uncertainty=GAIN_AMD if amd else GAIN,
            update_interval_s=INTERVAL_S,
            notes=_notes(self._zones, amd=amd),
            faults=(*readings.faults, *resets),
        )

    def _read(self) -> tuple[float, ...]:
        return tuple(self._counter(zone) for zone in self._zones)

    def _counter(self, zone: Zone) -> float:
        text = self._machine.read(zone.folder / "energy_uj")
        if text is None or not text.strip().isdecimal():
            raise MeterError(f"{zone.name}: energy_uj is not readable")
        return float(text)


def zones_of(machine: Machine) -> tuple[Zone, ...]:
    """Return the zones by name, parents before parts; the intel-rapl-mmio copies are left out."""
    found: list[Zone] = []
    for folder in machine.glob("sys/class/powercap/intel-rapl:*"):
        name = (machine.read(folder / "name") or "").strip()
        size = (machine.read(folder / "max_energy_range_uj") or "").strip()
        if not name or not size.isdecimal():
            continue
        role: ChannelRole = "counted" if name.startswith(("package", "dram")) else "shown"
        full = f"{_parent(machine, folder)}{name}"
        found.append(Zone(name=full, folder=folder, role=role, size=int(size)))
    return tuple(found)


def _parent(machine: Machine, folder: Path) -> str:
    """Return `package-0/` for a zone inside package-0, and nothing for a zone of its own."""
    parent, _, _ = folder.name.rpartition(":")
    name = machine.read(folder.with_name(parent) / "name") if ":" in parent else None
    return f"{name.strip()}/" if name else ""


def _covers(zones: tuple[Zone, ...]) -> tuple[Covered, ...]:
    return ("cpu", "dram") if any(_is_memory(zone) for zone in zones) else ("cpu",)


def _is_memory(zone: Zone) -> bool:
    return zone.name.rpartition("/")[2].startswith("dram")


def _channel(zone: Zone, count: Counted) -> Channel:
    return Channel(
        name=zone.name,
        unit="J",
        times_ns=count.times_ns,
        values=count.joules,
        role=zone.role,
        resolution=STEP_J,
    )


def _notes(zones: tuple[Zone, ...], *, amd: bool) -> tuple[str, ...]:
    notes = ["packages only: disks, fans, network and the power supply are not counted"]
    if not any(_is_memory(zone) for zone in zones):
        notes.append("no dram zone: memory is not counted")
    if any(zone.name == "psys" for zone in zones):
        notes.append("psys is shown, not added: it holds the packages")
    gain = GAIN_AMD if amd else GAIN
    notes.append(f"u_gain {gain:.0%} is assumed: no maker publishes a bound")
    return tuple(notes)
