"""Recorded readings through every meter: the energy is what integrating by hand gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.metering import FakeNvml, absence, board, joules, played, replay

from steelyard.errors import MeterError
from steelyard.meters.ina3221 import Ina3221
from steelyard.meters.modelled import Modelled
from steelyard.meters.nvml import Nvml
from steelyard.meters.pmic import Pmic
from steelyard.meters.rapl import Rapl
from steelyard.meters.replay import read_recorded


def test_rapl_counts_through_a_wrap_around(tmp_path: Path) -> None:
    play = replay("rapl/laptop-wraps", tmp_path)

    trace = played(Rapl(play.machine, play.pace))

    # package-0 counts 1.5, then 0.5 + 1.0 round the wrap, then 3.0 J in seconds 1, 2, 3:
    # half of 1.5, all of 1.5, half of 3.0.
    assert joules(trace, 0.5, 2.5).joules == pytest.approx(0.75 + 1.5 + 1.5)
    assert joules(trace, 0.5, 2.5, "package-0/core").joules == pytest.approx(0.5 + 0.5 + 1.0)
    assert trace.faults == ()


def test_rapl_adds_neither_psys_nor_cores_to_the_package(tmp_path: Path) -> None:
    play = replay("rapl/laptop-wraps", tmp_path)

    trace = played(Rapl(play.machine, play.pace))

    roles = {channel.name: channel.role for channel in trace.channels}
    assert roles == {"package-0": "counted", "package-0/core": "shown", "psys": "shown"}
    assert trace.covers == ("cpu",)
    assert any("memory is not counted" in note for note in trace.notes)


def test_rapl_adds_all_packages_and_their_memory(tmp_path: Path) -> None:
    play = replay("rapl/server-dram", tmp_path)

    trace = played(Rapl(play.machine, play.pace))

    # 0.5 to 1.5 s: 85 - 35, 4 - 2, 70 - 40 and 4.5 - 3.5 J.
    energy = joules(trace, 0.5, 1.5)
    assert energy.joules == pytest.approx(50 + 2 + 30 + 1)
    assert energy.covers == ("cpu", "dram")
    assert (energy.method, energy.scope) == ("counter", "package")


def test_a_counter_that_is_lost_midway_is_a_named_fault_and_no_zero(tmp_path: Path) -> None:
    play = replay("rapl/lost", tmp_path)

    trace = played(Rapl(play.machine, play.pace))

    assert trace.channels[0].values == (0.0, 5.0)
    assert trace.faults[0] == "package-0: energy_uj is not readable (2.0 s after the start)"
    reason = absence(trace, 0.5, 3.0)
    assert "last read 2.00 s before the window ended" in reason
    assert "energy_uj is not readable" in reason


def test_a_counter_reset_by_a_suspend_ends_there(tmp_path: Path) -> None:
    play = replay("rapl/suspended", tmp_path)

    trace = played(Rapl(play.machine, play.pace))

    assert trace.channels[0].values == (0.0, 3.0)
    assert trace.faults == ("package-0: the counter was reset: 40000 after 12000000",)


def test_nvml_counts_all_gpus(tmp_path: Path) -> None:
    play = replay("nvml/counters", tmp_path)
    library = FakeNvml(play.values, gpus=2)

    trace = played(Nvml(play.machine, play.pace, lambda: library))

    # gpu-0 counts 0, 30, 100, 190 J at 0, 0.1, 0.3, 0.6 s: 15 at 0.05 and 145 at 0.45.
    # gpu-1 counts 0, 6, 18, 36 J: 3 and 27.
    energy = joules(trace, 0.05, 0.45)
    assert energy.joules == pytest.approx((145 - 15) + (27 - 3))
    assert (energy.method, energy.covers) == ("counter", ("gpu",))
    assert library.opened == 0


def test_nvml_polls_power_where_there_is_no_counter(tmp_path: Path) -> None:
    play = replay("nvml/power", tmp_path)

    trace = played(Nvml(play.machine, play.pace, lambda: FakeNvml(play.values)))

    # 60, 60, 100, 40 W at 0, 0.1, 0.3, 0.6 s; 60 W at 0.05 and 70 W at 0.45:
    # 0.05 * 60 + 0.2 * 80 + 0.15 * 85.
    energy = joules(trace, 0.05, 0.45)
    assert energy.joules == pytest.approx(3 + 16 + 12.75)
    assert energy.method == "sampled"
    # Of the readings inside, only that at 0.3 s differs from the one before it.
    assert energy.updates == 1


def test_a_gpu_that_answers_not_supported_is_no_reading(tmp_path: Path) -> None:
    play = replay("nvml/power", tmp_path)

    trace = played(Nvml(play.machine, play.pace, lambda: FakeNvml({})))

    assert trace.channels == ()
    assert "NotSupported" in trace.faults[0]
    assert "NotSupported" in absence(trace, 0.1, 0.4)


def test_a_nano_is_its_input_rail_alone(tmp_path: Path) -> None:
    play = replay("ina3221/nano-jetpack4", tmp_path, "jetson-nano")

    trace = played(Ina3221(play.machine, play.pace))

    # POM_5V_IN: 1, 2, 3, 1 W at 0, 0.2, 0.5, 1.0 s; 1.5 W at 0.1 and 2.0 W at 0.75:
    # 0.1 * 1.75 + 0.3 * 2.5 + 0.25 * 2.5.
    energy = joules(trace, 0.1, 0.75)
    assert energy.joules == pytest.approx(0.175 + 0.75 + 0.625)
    # Steps of 1, 1 and -2 W in 0.2, 0.3 and 0.5 s: sqrt(0.2^2 + 0.3^2 + 1.0^2) / sqrt(12).
    assert energy.u_truncation == pytest.approx((0.04 + 0.09 + 1.0) ** 0.5 / 12**0.5)
    # POM_5V_GPU: 0, 0.4, 0.9, 0 W; 0.2 W at 0.1 and 0.45 W at 0.75.
    assert joules(trace, 0.1, 0.75, "POM_5V_GPU").joules == pytest.approx(
        0.1 * 0.3 + 0.3 * 0.65 + 0.25 * 0.675
    )


def test_an_orin_nx_is_its_input_rail_alone(tmp_path: Path) -> None:
    play = replay("ina3221/orin-nx", tmp_path, "jetson-orin-nx")

    trace = played(Ina3221(play.machine, play.pace))

    # VDD_IN: 5, 7, 9, 5 W every 0.2 s from 10 s on; 6 W at 10.1 and 7 W at 10.5.
    energy = joules(trace, 10.1, 10.5)
    assert energy.joules == pytest.approx(0.1 * 6.5 + 0.2 * 8 + 0.1 * 8)
    # A shunt of 5 mOhm: 40 uV are 8 mA, at 5 V 40 mW.
    assert trace.channels[0].resolution == pytest.approx(0.040)


def test_an_agx_orin_is_the_sum_of_its_rails_and_says_what_that_leaves_out(tmp_path: Path) -> None:
    play = replay("ina3221/agx-orin", tmp_path, "jetson-agx-orin")

    trace = played(Ina3221(play.machine, play.pace))

    # VDD_GPU_SOC 2, 6, 4 W; VDD_CPU_CV 1, 3, 2 W; VIN_SYS_5V0 5 W; VDDQ_VDD2_1V8AO 1 W:
    # 9, 15, 12 W at 0, 0.2, 0.4 s.
    assert joules(trace, 0.0, 0.4).joules == pytest.approx(0.2 * 12 + 0.2 * 13.5)
    assert any("without carrier board" in note for note in trace.notes)


def test_a_pi_5_is_the_sum_of_the_rails_and_the_wall_is_only_shown(tmp_path: Path) -> None:
    play = replay("pi5-pmic/burst", tmp_path, "pi5")

    trace = played(Pmic(play.machine, play.pace))

    # 0.8 V * 1 A + 3 V * 0.2 A = 1.4 W, then 0.8 * 5 + 3 * 0.4 = 5.2 W, at 0, 0.25, 0.75, 1 s:
    # 0.25 * 3.3 + 0.5 * 5.2 + 0.25 * 3.3.
    energy = joules(trace, 0.0, 1.0)
    assert energy.joules == pytest.approx(4.25)
    # 10 % of it, taken twice: U is at least 0.85 J.
    assert energy.expanded >= 0.2 * 4.25
    wall = joules(trace, 0.0, 1.0, "wall-estimate")
    assert wall.joules == pytest.approx(1.1451 * 4.25 + 0.5879)


def test_a_rail_lost_on_the_way_is_a_lost_reading_not_less_power(tmp_path: Path) -> None:
    play = replay("pi5-pmic/lost-rail", tmp_path, "pi5")

    trace = played(Pmic(play.machine, play.pace))

    # The reading at 0.5 s is lost: 1.4 W at 0 s, 2.2 W at 1 s and 1.5 s.
    assert trace.channels[0].values == pytest.approx((1.4, 2.2, 2.2))
    assert trace.faults == ("vcgencmd pmic_read_adc left out VDD_CORE (0.5 s after the start)",)


def test_a_modelled_board_gives_a_range(tmp_path: Path) -> None:
    play = replay("modelled/pi4-two-cores", tmp_path, "pi4")

    trace = played(Modelled(play.machine, play.pace, ticks_a_second=100))

    # From 5 to 10 s 900 + 100 ticks of 10 ms were worked on 4 cores: 10 core seconds.
    # Least: 1.6 W * 5 s + (5.0 - 1.6) W * 10 s / 4; most: 2.7 * 5 + (7.2 - 2.7) * 10 / 4.
    energy = joules(trace, 5.0, 10.0)
    assert energy.method == "modelled"
    assert energy.low == pytest.approx(8 + 8.5)
    assert energy.high == pytest.approx(13.5 + 11.25)
    assert energy.joules == pytest.approx((16.5 + 24.75) / 2)


def test_the_notes_of_a_model_say_where_its_figures_come_from(tmp_path: Path) -> None:
    play = replay("modelled/pi4-two-cores", tmp_path, "pi4")

    trace = played(Modelled(play.machine, play.pace, ticks_a_second=100))

    assert trace.notes[0].startswith("modelled, not measured: raspberry-pi-4b, idle 1.6 to 2.7 W")
    assert "sbc-reviews" in trace.notes[1]


def test_a_board_that_its_owner_measured_is_modelled_by_the_owners_figures(tmp_path: Path) -> None:
    play = replay("modelled/pi4-two-cores", tmp_path)
    own = tmp_path / "etc/steelyard/board.toml"
    own.parent.mkdir(parents=True)
    own.write_text(
        'id = "mine"\nidle_w = { low = 2.0, high = 2.0 }\nbusy_w = { low = 6.0, high = 6.0 }\n'
        'origin = "a wall meter, 2026"\n'
    )
    meter = Modelled(play.machine, play.pace, ticks_a_second=100)

    assert meter.refuse() is None
    # 2 W * 5 s + 4 W * 10 s / 4, and no spread.
    energy = joules(played(meter), 5.0, 10.0)
    assert (energy.low, energy.high) == pytest.approx((20.0, 20.0))


def test_a_meter_that_was_not_started_cannot_be_stopped() -> None:
    with pytest.raises(MeterError, match="without having been started"):
        Rapl(board("cloud-vm")).stop()


def test_a_recording_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"origin": "x", "frames": [{"files": {}}]}')

    with pytest.raises(MeterError, match=r"broken\.json"):
        read_recorded(broken)
