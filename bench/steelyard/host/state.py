"""The state of a device at one moment, cheap enough to be read every second of a measurement."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from steelyard.host import clocks, counters, identity, raspberry, sensors, throttle
from steelyard.host.machine import Machine
from steelyard.host.throttle import Count

MEASURE_CLOCK = ("vcgencmd", "measure_clock", "arm")


class State(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the device says at `at_ns` (CLOCK_MONOTONIC); None where it does not say.

    `clock_hz` and `governors` go by cpufreq policy. `measured_clock_hz` is what a Raspberry Pi's
    firmware measures: cpufreq there says what was asked for. `throttled` holds words that are true
    now, `throttled_since_boot` those that never clear. `busy_s` counts the processor seconds of all
    processes since boot, `stolen_s` those that a hypervisor gave to others.
    """

    at_ns: int
    temperature_c: float | None = None
    temperature_sensor: str | None = None
    clock_hz: tuple[int, ...] | None = None
    measured_clock_hz: int | None = None
    governors: tuple[str, ...] | None = None
    throttled: tuple[str, ...] | None = None
    throttled_since_boot: tuple[str, ...] | None = None
    throttle_counts: tuple[Count, ...] | None = None
    swap_in_pages: int | None = None
    swap_out_pages: int | None = None
    major_faults: int | None = None
    oom_kills: int | None = None
    busy_s: float | None = None
    stolen_s: float | None = None
    swap_total_bytes: int | None = None
    swap_used_bytes: int | None = None


class Probe(Struct, frozen=True, kw_only=True):
    """What there is to read on a device, found once by `probe`."""

    machine: Machine
    sensors: tuple[sensors.Sensor, ...]
    policies: tuple[Path, ...]
    throttle: throttle.Sources
    raspberry_pi: bool
    now_ns: Callable[[], int] = time.monotonic_ns

    def state(self, *, exact: bool = False) -> State:
        """Read the state; `exact` adds the clock as a Raspberry Pi's firmware measures it.

        That costs a process. A plain reading starts none, but on a Raspberry Pi with vcgencmd one.
        """
        at_ns = self.now_ns()
        throttled = throttle.read(self.machine, self.throttle)
        hottest = sensors.hottest(self.machine, self.sensors)
        counted = counters.named(self.machine.read("proc/vmstat"))
        times = counters.times(self.machine.read("proc/stat"), self.machine.userland.ticks_hz)
        swap = counters.swap(self.machine.read("proc/swaps"))
        return State(
            at_ns=at_ns,
            temperature_c=hottest.celsius if hottest else None,
            temperature_sensor=hottest.sensor if hottest else None,
            clock_hz=self._clocks(),
            measured_clock_hz=self._measured_clock() if exact else None,
            governors=self._governors(),
            throttled=throttled.now,
            throttled_since_boot=throttled.since_boot,
            throttle_counts=throttled.counts,
            swap_in_pages=counted.get("pswpin"),
            swap_out_pages=counted.get("pswpout"),
            major_faults=counted.get("pgmajfault"),
            oom_kills=counted.get("oom_kill"),
            busy_s=times.busy_s if times else None,
            stolen_s=times.stolen_s if times else None,
            swap_total_bytes=swap.total_bytes if swap else None,
            swap_used_bytes=swap.used_bytes if swap else None,
        )

    def _clocks(self) -> tuple[int, ...] | None:
        read = [clocks.hertz(self.machine.read(p / "scaling_cur_freq")) for p in self.policies]
        return tuple(hertz for hertz in read if hertz is not None) or None

    def _governors(self) -> tuple[str, ...] | None:
        read = [clocks.governor(self.machine, policy) for policy in self.policies]
        return tuple(governor for governor in read if governor is not None) or None

    def _measured_clock(self) -> int | None:
        return raspberry.clock_hz(self.machine.ask(MEASURE_CLOCK)) if self.raspberry_pi else None


def probe(machine: Machine, now_ns: Callable[[], int] = time.monotonic_ns) -> Probe:
    """Find out what there is to read on `machine`."""
    raspberry_pi = (identity.board(machine) or "").startswith("Raspberry Pi")
    return Probe(
        machine=machine,
        sensors=sensors.processor_sensors(machine),
        policies=clocks.folders(machine),
        throttle=throttle.sources(machine, raspberry_pi=raspberry_pi),
        raspberry_pi=raspberry_pi,
        now_ns=now_ns,
    )


def read_state(machine: Machine) -> State:
    """Read the state of `machine` once, exactly; for repeated readings keep a `probe`."""
    return probe(machine).state(exact=True)
