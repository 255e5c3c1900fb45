from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.devices import BOARDS, board, made

from steelyard.host import sensors, state
from steelyard.host.machine import Machine
from steelyard.host.state import State

KIB = 1024
# The boards' /proc/stat is one: user 48210, nice 12, system 9120, irq 0 and softirq 330 ticks of
# 10 ms make 576.72 s.
BUSY: dict[str, Any] = {"busy_s": 576.72, "stolen_s": 0.0}
IDLE_MEMORY: dict[str, Any] = {"swap_in_pages": 0, "swap_out_pages": 0, "major_faults": 1204}
NO_SWAP: dict[str, Any] = {"swap_total_bytes": 0, "swap_used_bytes": 0}

# What each board's state must be, by hand; what is not named must be absent.
EXPECTED: dict[str, dict[str, Any]] = {
    "pi3": {
        "temperature_c": 51.54,
        "temperature_sensor": "cpu_thermal",
        "clock_hz": (600_000_000,),
        "governors": ("ondemand",),
        "throttled": ("under-voltage",),
        "swap_in_pages": 812,
        "swap_out_pages": 4410,
        "major_faults": 6120,
        "oom_kills": 0,
        "swap_total_bytes": 102396 * KIB,
        "swap_used_bytes": 14080 * KIB,
        **BUSY,
    },
    "pi4": {
        "temperature_c": 83.4,
        "temperature_sensor": "cpu_thermal",
        "clock_hz": (1_800_000_000,),
        "measured_clock_hz": 1_500_398_464,
        "governors": ("ondemand",),
        "throttled": ("frequency capped", "soft temperature limit"),
        "throttled_since_boot": ("frequency capped", "throttled", "soft temperature limit"),
        "oom_kills": 0,
        "swap_total_bytes": 204796 * KIB,
        "swap_used_bytes": 0,
        **BUSY,
        **IDLE_MEMORY,
    },
    "pi5": {
        "temperature_c": 48.7,
        "temperature_sensor": "cpu_thermal",
        "clock_hz": (1_500_000_000,),
        "measured_clock_hz": 1_500_009_472,
        "governors": ("ondemand",),
        "throttled": (),
        "throttled_since_boot": (),
        "oom_kills": 0,
        "swap_total_bytes": 2097136 * KIB,
        "swap_used_bytes": 0,
        **BUSY,
        **IDLE_MEMORY,
    },
    "jetson-nano": {
        # Not PMIC-Die, which always reads 100.
        "temperature_c": 36.5,
        "temperature_sensor": "CPU-therm",
        "clock_hz": (102_000_000,),
        "governors": ("schedutil",),
        "throttled": (),
        "swap_in_pages": 0,
        "swap_out_pages": 960,
        "major_faults": 2210,
        "swap_total_bytes": 4 * 507436 * KIB,
        "swap_used_bytes": 3840 * KIB,
        **BUSY,
    },
    "jetson-xavier": {
        "temperature_c": 33.5,
        "temperature_sensor": "CPU-therm",
        "clock_hz": (1_190_400_000, 729_600_000),
        "governors": ("schedutil", "schedutil"),
        "throttled": (),
        "oom_kills": 0,
        **BUSY,
        **IDLE_MEMORY,
        **NO_SWAP,
    },
    "jetson-orin-nx": {
        "temperature_c": 50.0,
        "temperature_sensor": "tj-thermal",
        "clock_hz": (1_984_000_000, 1_984_000_000),
        "governors": ("schedutil", "schedutil"),
        "throttled": (),
        "throttle_counts": (("oc1", 0), ("oc2", 0), ("oc3", 0)),
        "oom_kills": 0,
        "swap_total_bytes": 8 * 998304 * KIB,
        "swap_used_bytes": 0,
        **BUSY,
        **IDLE_MEMORY,
    },
    "jetson-agx-orin": {
        "temperature_c": 53.218,
        "temperature_sensor": "tj-thermal",
        "clock_hz": (729_600_000, 1_728_000_000),
        "governors": ("schedutil", "schedutil"),
        "throttled": (),
        "throttle_counts": (("oc1", 0), ("oc2", 12), ("oc3", 3)),
        "oom_kills": 0,
        "swap_total_bytes": 8 * 2681216 * KIB,
        "swap_used_bytes": 0,
        **BUSY,
        **IDLE_MEMORY,
    },
    "jetson-thor": {
        "temperature_c": 41.31,
        "temperature_sensor": "tj-thermal",
        "clock_hz": (972_000_000,) * 7,
        "governors": ("schedutil",) * 7,
        "throttled": (),
        "oom_kills": 0,
        **BUSY,
        **IDLE_MEMORY,
        **NO_SWAP,
    },
    "laptop-rapl": {
        # The package, not acpitz (61), which is the case.
        "temperature_c": 58.0,
        "temperature_sensor": "coretemp Package id 0",
        "clock_hz": (2_800_000_000, 1_100_000_000, 900_000_000, 1_200_000_000),
        "governors": ("powersave",) * 4,
        "throttled": (),
        # Cores 0 and 1 counted 3 and 2, each shown by two processors; all show the package's 7.
        "throttle_counts": (("core", 5), ("package", 7)),
        "oom_kills": 0,
        "swap_total_bytes": 4194300 * KIB,
        "swap_used_bytes": 0,
        **BUSY,
        **IDLE_MEMORY,
    },
    "amd-desktop": {
        "temperature_c": 45.125,
        "temperature_sensor": "k10temp Tctl",
        "clock_hz": (4_500_000_000,) * 4,
        "governors": ("performance",) * 4,
        "throttled": (),
        "oom_kills": 0,
        **BUSY,
        **IDLE_MEMORY,
        **NO_SWAP,
    },
    "cloud-vm": {
        # 1986614 + 131870 + 94119 + 0 + 1496 ticks; 17241 were stolen.
        "busy_s": 22140.99,
        "stolen_s": 172.41,
        "swap_in_pages": 0,
        "swap_out_pages": 0,
        "major_faults": 18964,
        "oom_kills": 0,
        **NO_SWAP,
    },
}


def said(one: State) -> dict[str, Any]:
    """Return what a state holds, without the moment it was read at."""
    found = msgspec.structs.asdict(one)
    if one.throttle_counts is not None:
        found["throttle_counts"] = tuple((c.name, c.count) for c in one.throttle_counts)
    return {key: value for key, value in found.items() if value is not None and key != "at_ns"}


@pytest.mark.parametrize("name", BOARDS)
def test_each_board_tells_its_state_and_no_more(name: str) -> None:
    found = said(state.read_state(board(name)))

    assert found.pop("busy_s") == pytest.approx(EXPECTED[name]["busy_s"])
    assert found == {key: value for key, value in EXPECTED[name].items() if key != "busy_s"}


def test_a_state_carries_the_moment_it_was_read() -> None:
    moments = iter([7, 11])
    probe = state.probe(board("pi4"), now_ns=lambda: next(moments))

    assert (probe.state().at_ns, probe.state().at_ns) == (7, 11)


def counting(machine: Machine) -> tuple[Machine, list[tuple[str, ...]]]:
    """Return a machine that notes which commands are asked."""
    asked: list[tuple[str, ...]] = []

    def ask(argv: tuple[str, ...]) -> str | None:
        asked.append(argv)
        return machine.ask(argv)

    return msgspec.structs.replace(machine, ask=ask), asked


@pytest.mark.parametrize("name", BOARDS)
def test_a_plain_reading_starts_no_process_but_get_throttled_on_a_pi(name: str) -> None:
    machine, asked = counting(board(name))
    probe = state.probe(machine)
    asked.clear()

    probe.state()

    expected = [("vcgencmd", "get_throttled")] if name in ("pi4", "pi5") else []
    assert asked == expected


def test_an_exact_reading_also_asks_for_the_measured_clock() -> None:
    machine, asked = counting(board("pi5"))
    probe = state.probe(machine)
    asked.clear()

    probe.state(exact=True)

    assert asked == [("vcgencmd", "get_throttled"), ("vcgencmd", "measure_clock", "arm")]


def test_a_command_that_was_missing_at_first_is_not_asked_again() -> None:
    machine, asked = counting(board("pi3"))

    state.probe(machine).state()

    assert asked == [("vcgencmd", "get_throttled")]


def test_firmware_that_falls_silent_is_told_as_not_known() -> None:
    pi = board("pi4")
    silent = msgspec.structs.replace(state.probe(pi), machine=msgspec.structs.replace(pi, ask=mute))

    found = silent.state(exact=True)

    assert (found.throttled, found.throttled_since_boot) == (None, None)
    assert found.measured_clock_hz is None


def mute(_: tuple[str, ...]) -> str | None:
    return None


def test_a_sensor_that_is_gone_leaves_the_others(tmp_path: Path) -> None:
    files = {
        "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
        "sys/class/thermal/thermal_zone0/temp": "-256000\n",
        "sys/class/thermal/thermal_zone1/type": "tj-thermal\n",
        "sys/class/thermal/thermal_zone1/temp": "41000\n",
    }
    probe = state.probe(made(tmp_path, files))

    assert probe.state().temperature_c == 41.0
    (tmp_path / "sys/class/thermal/thermal_zone1/temp").unlink()
    assert probe.state().temperature_c is None


def test_hwmon_is_matched_by_name_and_not_by_number(tmp_path: Path) -> None:
    files = {
        "sys/class/hwmon/hwmon0/name": "nvme\n",
        "sys/class/hwmon/hwmon0/temp1_input": "99000\n",
        "sys/class/hwmon/hwmon7/name": "cpu_thermal\n",
        "sys/class/hwmon/hwmon7/temp1_input": "40000\n",
    }

    assert state.read_state(made(tmp_path, files)).temperature_c == 40.0


def test_amds_control_temperature_gives_way_to_the_real_one(tmp_path: Path) -> None:
    files = {
        "sys/class/hwmon/hwmon0/name": "k10temp\n",
        "sys/class/hwmon/hwmon0/temp1_input": "67000\n",
        "sys/class/hwmon/hwmon0/temp1_label": "Tctl\n",
        "sys/class/hwmon/hwmon0/temp2_input": "40000\n",
        "sys/class/hwmon/hwmon0/temp2_label": "Tdie\n",
    }

    found = sensors.hottest(made(tmp_path, files), sensors.processor_sensors(made(tmp_path, files)))

    assert found == sensors.Temperature(celsius=40.0, sensor="k10temp Tdie")


def test_a_cooling_device_that_slows_the_clock_is_told_and_a_fan_is_not(tmp_path: Path) -> None:
    files = {
        "sys/class/thermal/cooling_device0/type": "pwm-fan\n",
        "sys/class/thermal/cooling_device0/cur_state": "3\n",
        "sys/class/thermal/cooling_device1/type": "thermal-cpufreq-0\n",
        "sys/class/thermal/cooling_device1/cur_state": "2\n",
    }

    assert state.read_state(made(tmp_path, files)).throttled == ("slowed by thermal-cpufreq-0",)


def test_a_machine_that_says_nothing_is_read_as_nothing(tmp_path: Path) -> None:
    assert said(state.read_state(made(tmp_path, {}))) == {}
