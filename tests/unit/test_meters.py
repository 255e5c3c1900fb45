"""Every meter on every recorded board: the right channels, or the right refusal."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.metering import FakeNvml, board, played

from steelyard.api import Meter
from steelyard.host.machine import Machine
from steelyard.meters.external import External, Surroundings
from steelyard.meters.ina3221 import Ina3221
from steelyard.meters.modelled import Modelled
from steelyard.meters.nvml import NO_DRIVER, Nvml
from steelyard.meters.pmic import Pmic, powers
from steelyard.meters.rapl import Rapl
from steelyard.meters.recording import Pace

BOARDS = (
    "pi3",
    "pi4",
    "pi5",
    "jetson-nano",
    "jetson-xavier",
    "jetson-orin-nx",
    "jetson-agx-orin",
    "jetson-thor",
    "laptop-rapl",
    "amd-desktop",
    "cloud-vm",
)
SUM_OF_XAVIER = "GPU CPU SOC CV VDDRQ SYS5V"
SUM_OF_AGX_ORIN = "VDD_GPU_SOC VDD_CPU_CV VIN_SYS_5V0 VDDQ_VDD2_1V8AO"
# What is counted on a board, by meter; all else is refused.
COUNTED = {
    ("ina3221", "jetson-nano"): "POM_5V_IN",
    ("ina3221", "jetson-xavier"): SUM_OF_XAVIER,
    ("ina3221", "jetson-orin-nx"): "VDD_IN",
    ("ina3221", "jetson-agx-orin"): SUM_OF_AGX_ORIN,
    ("ina3221", "jetson-thor"): "VIN",
    ("rapl", "laptop-rapl"): "package-0",
    ("rapl", "amd-desktop"): "package-0",
    ("pi5-pmic", "pi5"): "rails",
}
REFUSALS = {
    "ina3221": "only Jetson boards",
    "rapl": "no RAPL",
    "pi5-pmic": "no Raspberry Pi 5",
    "nvml": "no NVIDIA driver",
    "external": "no external meter is set up",
    "modelled": "nobody has said what",
}
MODELLED = ("pi3", "pi4", "pi5")
HURRIED = Pace(clock=iter(range(10**6)).__next__, wait=lambda *_: True)


def meters(machine: Machine) -> list[Meter]:
    return [
        Rapl(machine, HURRIED),
        Nvml(machine, HURRIED, lambda: FakeNvml({})),
        Ina3221(machine, HURRIED),
        Pmic(machine, HURRIED),
        External(machine, around=Surroundings(environment={})),
        Modelled(machine, HURRIED),
    ]


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_is_read_by_its_own_meters_and_refuses_the_others(name: str) -> None:
    for meter in meters(board(name)):
        refusal = meter.refuse()
        counted = COUNTED.get((meter.name, name))
        if counted is not None:
            assert refusal is None, meter.name
            channels = played(meter).channels
            assert [c.name for c in channels if c.role == "counted"] == counted.split()
            assert all(len(channel.values) >= 1 for channel in channels)
        elif meter.name == "modelled" and name in MODELLED:
            assert refusal is None
            assert [c.name for c in played(meter).channels] == ["low", "high"]
        elif meter.name == "pi5-pmic" and name in MODELLED:
            assert refusal is not None
            assert refusal.endswith("senses no current: measure it with an external meter")
        else:
            assert refusal is not None, meter.name
            assert REFUSALS[meter.name] in refusal


def test_the_rails_of_a_pi_5_are_paired_by_name() -> None:
    read = powers(board("pi5").ask(("vcgencmd", "pmic_read_adc")) or "")

    # 12 currents; EXT5V and BATT are volts without a current.
    assert len(read) == 12
    assert read["VDD_CORE"] == pytest.approx(0.56259 * 0.7679846)
    assert "EXT5V" not in read
    assert "BATT" not in read


def test_a_reading_of_a_xavier_is_volts_times_amperes() -> None:
    trace = played(Ina3221(board("jetson-xavier"), HURRIED))

    watts = {channel.name: channel.values[0] for channel in trace.channels}
    assert watts["GPU"] == pytest.approx(19.248 * 0.060)
    assert watts["SYS5V"] == pytest.approx(4.808 * 0.560)


def test_cpu_gpu_and_cv_together_are_never_called_cpu() -> None:
    trace = played(Ina3221(board("jetson-orin-nx"), HURRIED))

    shown = [channel.name for channel in trace.channels if channel.role == "shown"]
    assert shown == ["VDD_CPU_GPU_CV", "VDD_SOC"]
    assert any("CPU, GPU and CV together" in note for note in trace.notes)


def test_the_second_door_to_a_rapl_counter_is_left_shut() -> None:
    trace = played(Rapl(board("laptop-rapl"), HURRIED))

    assert [channel.name for channel in trace.channels] == [
        "package-0",
        "package-0/core",
        "package-0/uncore",
        "psys",
    ]


def test_amds_counters_are_trusted_less() -> None:
    intel = played(Rapl(board("laptop-rapl"), HURRIED))
    amd = played(Rapl(board("amd-desktop"), HURRIED))

    assert (intel.gain_uncertainty, amd.gain_uncertainty) == (0.05, 0.10)


def test_rapl_that_only_root_may_read_says_how_to_grant_it(tmp_path: Path) -> None:
    zone = tmp_path / "sys/class/powercap/intel-rapl:0"
    zone.mkdir(parents=True)
    (zone / "name").write_text("package-0\n")
    (zone / "max_energy_range_uj").write_text("262143328850\n")
    # A folder cannot be read as a file, by root neither.
    (zone / "energy_uj").mkdir()

    refusal = Rapl(Machine(root=tmp_path)).refuse()

    assert refusal is not None
    assert "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj" in refusal
    assert "udev" in refusal
    assert "setcap" in refusal


def test_a_pi_5_without_the_right_to_ask_its_firmware_says_so(tmp_path: Path) -> None:
    model = tmp_path / "proc/device-tree/model"
    model.parent.mkdir(parents=True)
    model.write_text("Raspberry Pi 5 Model B Rev 1.0\0")

    refusal = Pmic(Machine(root=tmp_path, ask=lambda _: None)).refuse()

    assert refusal is not None
    assert "usermod -aG video" in refusal


def test_nvml_without_its_library_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "proc/driver/nvidia/gpus/0000:01:00.0").mkdir(parents=True)

    def missing() -> FakeNvml:
        raise ImportError("pynvml")

    refusal = Nvml(Machine(root=tmp_path), load=missing).refuse()

    assert refusal is not None
    assert "pip install 'steelyard[energy]'" in refusal


def test_nvml_on_a_jetson_sends_to_the_boards_meter(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/nvidia0").touch()

    refusal = Nvml(Machine(root=tmp_path), load=lambda: FakeNvml({})).refuse()

    assert refusal is not None
    assert "ina3221" in refusal


def test_nvml_with_a_gpu_that_tells_its_power_is_not_refused(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/nvidia0").touch()
    library = FakeNvml({"power-0": 60_000.0})

    assert Nvml(Machine(root=tmp_path), load=lambda: library).refuse() is None
    assert library.opened == 0


def test_a_wrong_board_file_is_named_with_its_key(tmp_path: Path) -> None:
    own = tmp_path / "etc/steelyard/board.toml"
    own.parent.mkdir(parents=True)
    own.write_text('id = "mine"\nidle_w = { low = 3.0, high = 2.0 }\norigin = "me"\n')

    refusal = Modelled(Machine(root=tmp_path)).refuse()

    assert refusal is not None
    assert refusal.startswith("/etc/steelyard/board.toml: ")


def test_the_gpus_library_is_not_touched_where_there_is_no_driver() -> None:
    def touched() -> FakeNvml:
        raise AssertionError("imported")

    assert Nvml(board("laptop-rapl"), load=touched).refuse() == NO_DRIVER
