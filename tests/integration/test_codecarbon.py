"""The real codecarbon: our reading of it is its own figure, and nothing else on the machine is."""

from __future__ import annotations

import csv
import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import msgspec
import psutil
import pytest

from steelyard.emissions import grid
from steelyard.emissions.figures import J_PER_KWH
from steelyard.emissions.tracking import Tracked, arguments
from steelyard.record import CodecarbonReading, CodecarbonSettings

codecarbon = pytest.importorskip("codecarbon")

SETTINGS = CodecarbonSettings(country="DEU", cpu_power_w=20.0)
WALL_S, CPU_S = 10.0, 7.0
DEPRECATED = {"co2_signal_api_token"}


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return busy work of 10 s and 7 s of CPU, as codecarbon's clock and psutil tell it."""
    from codecarbon import emissions_tracker
    from codecarbon.core import gpu
    from codecarbon.external import hardware

    now = SimpleNamespace(wall=1000.0, cpu=5.0)
    clock = SimpleNamespace(perf_counter=lambda: now.wall, time=lambda: now.wall)
    for module in (emissions_tracker, hardware):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(gpu, "is_nvidia_system", lambda: False)
    monkeypatch.setattr(gpu, "is_rocm_system", lambda: False)
    used = SimpleNamespace
    monkeypatch.setattr(psutil.Process, "cpu_times", lambda _: used(user=now.cpu, system=0.0))
    monkeypatch.setattr(psutil.Process, "children", lambda *_, **__: [])

    def busy() -> None:
        now.wall += WALL_S
        now.cpu += CPU_S

    return busy


def alone(work: Callable[[], None], folder: Path) -> dict[str, float]:
    """Run codecarbon as its manual says, in process mode; return the row that it writes."""
    tracker = codecarbon.OfflineEmissionsTracker(
        country_iso_code=SETTINGS.country,
        tracking_mode="process",
        force_cpu_power=SETTINGS.cpu_power_w,
        measure_power_secs=SETTINGS.interval_s,
        output_dir=str(folder),
        log_level="error",
    )
    tracker.start()
    work()
    tracker.stop()
    with (folder / "emissions.csv").open() as file:
        (row,) = csv.DictReader(file)
    wanted = ("cpu_energy", "ram_energy", "energy_consumed", "emissions", "duration")
    return {name: float(row[name]) for name in wanted}


def through_us(work: Callable[[], None]) -> CodecarbonReading:
    with Tracked(SETTINGS) as window:
        work()
    return window.reading


def test_our_reading_is_the_row_codecarbon_writes_of_the_same_work(
    work: Callable[[], None], tmp_path: Path
) -> None:
    row = alone(work, tmp_path)
    ours = through_us(work)

    # Equal to the last bit: the same clock and CPU time went in, and kWh times 3.6e6 comes out.
    assert ours.cpu_j == row["cpu_energy"] * J_PER_KWH
    assert ours.ram_j == row["ram_energy"] * J_PER_KWH
    assert ours.energy_j == row["energy_consumed"] * J_PER_KWH
    assert ours.emissions_kg == row["emissions"]
    assert ours.duration_s == row["duration"] == WALL_S


def test_the_figure_is_that_of_the_formula(work: Callable[[], None]) -> None:
    ours = through_us(work)

    share = CPU_S / WALL_S / float(psutil.cpu_count() or 1)
    assert ours.cpu_j == pytest.approx(20.0 * share * WALL_S)
    assert ours.cpu_mode == "cpu_load"
    assert ours.energy_j == pytest.approx(float(ours.cpu_j or 0) + float(ours.ram_j or 0))
    intensity = float(ours.intensity_kg_per_kwh or 0)
    assert ours.emissions_kg == pytest.approx(float(ours.energy_j or 0) / J_PER_KWH * intensity)
    assert ours.version == codecarbon.__version__


def test_no_argument_of_its_tracker_is_left_to_configuration_files() -> None:
    from codecarbon.emissions_tracker import BaseEmissionsTracker, OfflineEmissionsTracker

    known = {
        name
        for tracker in (BaseEmissionsTracker, OfflineEmissionsTracker)
        for name in inspect.signature(tracker.__init__).parameters
        if name not in {"self", "args", "kwargs"} and not name.startswith("save_to_")
    }

    assert set(arguments(SETTINGS, "folder")) == known - DEPRECATED


def test_its_own_data_has_countries_and_regions_and_refuses_others() -> None:
    assert grid.refuse(CodecarbonSettings(country="DEU")) is None
    assert grid.refuse(CodecarbonSettings(country="USA", region="california")) is None
    assert "no country" in str(grid.refuse(CodecarbonSettings(country="XXX")))
    assert "no region" in str(grid.refuse(CodecarbonSettings(country="DEU", region="bavaria")))
    assert "no region" in str(grid.refuse(CodecarbonSettings(country="USA", region="atlantis")))


CHILD = """
import signal, socket, sys, time
def refused(*_): raise RuntimeError("asked the network")
socket.socket.connect = socket.getaddrinfo = refused
import msgspec
from steelyard.emissions.tracking import Tracked
from steelyard.record import CodecarbonSettings
assert "codecarbon" not in sys.modules
before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
with Tracked(CodecarbonSettings()) as window:
    start = time.process_time()
    while time.process_time() - start < 0.3: pass
assert before == (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))
print(msgspec.json.encode(window.reading).decode())
"""
HOSTILE = """[codecarbon]
country_iso_code = USA
tracking_mode = machine
allow_multiple_runs = False
co2_signal_api_token = token
output_methods = csv,api
emissions_endpoint = http://localhost:9
force_ram_power = 1000
"""


def test_neither_a_stale_lock_nor_a_strangers_settings_reach_the_figure(tmp_path: Path) -> None:
    (tmp_path / ".codecarbon.lock").touch()
    (tmp_path / ".codecarbon.config").write_text(HOSTILE)
    before = sorted(tmp_path.iterdir())
    home = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    mine = {**os.environ, **home, "CODECARBON_COUNTRY_ISO_CODE": "USA", "CODECARBON_PUE": "9"}

    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        cwd=tmp_path,
        env=mine,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert sorted(tmp_path.iterdir()) == before
    reading = msgspec.json.decode(done.stdout, type=CodecarbonReading)
    assert reading.energy_j is not None
    assert reading.ram_j is not None
    assert reading.ram_j < 500 * float(reading.duration_s or 0)
    assert reading.emissions_kg is None
    assert reading.reason("emissions_kg") == grid.NO_COUNTRY
