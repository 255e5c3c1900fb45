from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from tests.unit.devices import BOARDS, board, made

from steelyard import plugins
from steelyard.cli import doctor as page_of
from steelyard.host import check_energy, doctor
from steelyard.host.check_energy import MeterAnswer
from steelyard.host.finding import Finding
from steelyard.host.machine import Machine
from steelyard.meters.ina3221 import Ina3221
from steelyard.meters.modelled import Modelled
from steelyard.meters.nvml import Nvml
from steelyard.meters.pmic import Pmic
from steelyard.meters.rapl import Rapl

SNAPSHOTS = Path(__file__).parent / "snapshots" / "doctor"


def answers(machine: Machine) -> tuple[MeterAnswer, ...]:
    """Return what our own meters say; the external one is set up by nobody."""
    meters = (Ina3221(machine), Modelled(machine), Nvml(machine), Pmic(machine), Rapl(machine))
    external = MeterAnswer(name="external", refusal="no external meter is set up")
    return (external, *(MeterAnswer(name=one.name, refusal=one.refuse()) for one in meters))


def examined(machine: Machine) -> tuple[Finding, ...]:
    return doctor.examine(machine, answers(machine))


@pytest.mark.parametrize("name", BOARDS)
def test_each_board_gets_its_page(name: str) -> None:
    page = page_of.page(examined(board(name))).plain

    assert page + "\n" == (SNAPSHOTS / f"{name}.txt").read_text(encoding="utf-8")


def narrow() -> Machine:
    """Return a Pi 4 with a 32-bit system on its 64-bit kernel."""
    pi = board("pi4")
    return replace(pi, userland=replace(pi.userland, bits=32))


def test_a_32_bit_system_gets_its_page() -> None:
    page = page_of.page(examined(narrow())).plain

    assert page + "\n" == (SNAPSHOTS / "pi4-32-bit.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", BOARDS)
def test_a_page_keeps_to_its_width(name: str) -> None:
    lines = page_of.page(examined(board(name))).plain.splitlines()

    assert max(len(line) for line in lines) <= page_of.WIDTH


@pytest.mark.parametrize("name", BOARDS)
def test_every_board_can_measure_what_is_needed(name: str) -> None:
    assert doctor.lacking(examined(board(name))) == ()


@pytest.mark.parametrize("name", BOARDS)
def test_every_topic_is_spoken_of(name: str) -> None:
    topics = {finding.topic for finding in examined(board(name))}

    assert topics == {
        "identity",
        "surroundings",
        "latency",
        "memory",
        "energy",
        "temperature",
        "throttle",
    }


def test_a_32_bit_system_cannot_measure() -> None:
    assert doctor.lacking(examined(narrow())) == ("identity",)


def test_an_emulated_board_cannot_measure(tmp_path: Path) -> None:
    files = {
        "proc/cpuinfo": "processor : 0\nvendor_id : GenuineIntel\nmodel name : Testium\n",
        "proc/meminfo": "MemTotal: 1000 kB\n",
        "proc/self/status": "VmHWM:\t 10 kB\n",
    }

    assert doctor.lacking(doctor.examine(made(tmp_path, files))) == ("surroundings",)


def test_without_a_reading_of_peak_memory_nothing_can_be_measured(tmp_path: Path) -> None:
    files = {"proc/meminfo": "MemTotal: 1000 kB\n"}

    assert doctor.lacking(doctor.examine(made(tmp_path, files))) == ("memory",)


def found(machine: Machine, topic: str) -> list[tuple[str, str]]:
    return [(one.status, one.what) for one in examined(machine) if one.topic == topic]


def test_a_power_counter_that_may_not_be_read_comes_with_the_command_that_grants_it(
    tmp_path: Path,
) -> None:
    zone = "sys/class/powercap/intel-rapl:0"
    files = {
        "proc/cpuinfo": "vendor_id : GenuineIntel\nmodel name : Testium\n",
        "proc/meminfo": "MemTotal: 1000 kB\n",
        # There, and not readable: root's only.
        f"{zone}/name": "package-0\n",
        f"{zone}/max_energy_range_uj": "262143328850\n",
        f"{zone}/energy_uj/is": "a folder\n",
    }

    said = examined(made(tmp_path, files, "x86_64"))
    (energy,) = (one for one in said if one.topic == "energy")

    assert energy.status == "missing"
    assert energy.advice is not None
    assert "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj" in energy.advice


def test_a_board_without_a_sensor_is_told_that_energy_is_modelled() -> None:
    (energy,) = found(board("pi4"), "energy")

    assert energy[0] == "advice"
    assert "modelled" in energy[1]


def test_a_meter_that_a_plugin_brings_counts_like_our_own() -> None:
    said = doctor.examine(board("pi4"), [MeterAnswer(name="lab", refusal=None)])

    assert [one.what for one in said if one.topic == "energy"] == ["measured by: lab"]


def test_no_meters_at_all_is_a_missing_energy() -> None:
    said = doctor.examine(board("pi4"))

    assert [one.status for one in said if one.topic == "energy"] == ["missing"]


def test_live_under_voltage_asks_for_a_supply_and_not_for_cooling() -> None:
    throttle = [one for one in examined(board("pi3")) if one.topic == "throttle"]

    assert "under-voltage" in throttle[0].what
    assert throttle[0].advice is not None
    assert "supply" in throttle[0].advice


def test_a_clock_below_the_one_asked_for_is_told() -> None:
    (throttle,) = found(board("pi4"), "throttle")

    assert "the clock is 1.50 GHz where 1.80 GHz was asked for" in throttle[1]


def test_meters_are_found_by_their_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    located = {"rapl": "steelyard.meters.rapl:Rapl", "nvml": "steelyard.meters.nvml:Nvml"}
    monkeypatch.setattr(plugins, "names", lambda _: sorted(located))
    monkeypatch.setattr(plugins, "locate", lambda _, name: located[name])

    said = check_energy.ask_meters(board("laptop-rapl"))

    assert [(one.name, one.refusal is None) for one in said] == [("nvml", False), ("rapl", True)]


def run(monkeypatch: pytest.MonkeyPatch, machine: Machine, *options: str) -> tuple[int, str]:
    monkeypatch.setattr(page_of, "Machine", lambda: machine)
    monkeypatch.setattr(check_energy, "ask_meters", answers)
    result = CliRunner().invoke(page_of.command, options)
    return result.exit_code, result.output


def test_the_command_prints_the_page_and_ends_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    status, output = run(monkeypatch, board("pi5"))

    assert status == 0
    assert output == (SNAPSHOTS / "pi5.txt").read_text(encoding="utf-8")


def test_the_command_ends_with_3_where_the_device_cannot_measure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    status, output = run(monkeypatch, narrow())

    assert status == 3
    assert "cannot measure" in output


def test_the_findings_come_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    status, output = run(monkeypatch, narrow(), "--json")
    told = json.loads(output)

    assert status == 3
    assert told["can_measure"] is False
    assert told["lacking"] == ["identity"]
    assert told["findings"][0]["topic"] == "identity"
    assert told["findings"][0]["status"] == "good"


def test_help_says_what_the_exit_codes_mean() -> None:
    output = CliRunner().invoke(page_of.command, ["--help"]).output

    assert "Exit code 0" in output
    assert "steelyard doctor --json" in output
