"""codecarbon's figures become a reading; what it leaves silent becomes a reason."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec import Struct

from steelyard.emissions import figures, grid
from steelyard.emissions.figures import Assumed, Run
from steelyard.emissions.grid import Grid, NoGrid
from steelyard.emissions.tracking import UNFINISHED, Tracked, arguments
from steelyard.record import CodecarbonReading, CodecarbonSettings

GERMANY = Grid(name="Germany", kg_per_kwh=0.4, year=2023)
NOWHERE = NoGrid(reason="no country given")
LOG = logging.getLogger("codecarbon")


class Data(Struct, kw_only=True):
    """Stands where codecarbon's result does: 1 Wh of CPU and 2 Wh of memory in a minute."""

    duration: float = 60.0
    emissions: float = 0.0012
    energy_consumed: float = 0.003
    cpu_energy: float = 0.001
    ram_energy: float = 0.002
    gpu_energy: float = 0.0
    cpu_model: str = "Some CPU"
    gpu_count: float = 0
    gpu_model: str = ""
    codecarbon_version: str = "3.3.2"


def read(result: Data, where: Grid | NoGrid = GERMANY) -> CodecarbonReading:
    run = Run(
        settings=CodecarbonSettings(), version="3.3.2", cpu=Assumed(mode="cpu_load"), grid=where
    )
    return figures.reading(result, run)


class Atlas:
    """Two countries, one of them with a region."""

    def countries(self) -> dict[str, dict[str, object]]:
        return {"DEU": {"country_name": "Germany", "year": 2023}, "CAN": {"country_name": "Canada"}}

    def kg_per_kwh(self, country: str, region: str | None) -> float:
        return {"DEU": 0.4, "CAN": 0.2}[country] if region != "quebec" else 0.004


class FakeTracker:
    """Stands where codecarbon's tracker does."""

    def __init__(self, returns: float | None = 0.0012, logs: Sequence[str] = ()) -> None:
        self.calls: list[str] = []
        self._returns = returns
        self._logs = logs
        self._hardware = [SimpleNamespace(_mode="cpu_load", _tdp=8)]
        self.final_emissions_data = Data() if returns is not None else None

    def start(self) -> None:
        self.calls.append("start")

    def stop(self) -> float | None:
        self.calls.append("stop")
        for line in self._logs:
            LOG.warning(line)
        return self._returns


def track(tracker: FakeTracker, country: str | None = None) -> CodecarbonReading:
    def make(*_: object) -> FakeTracker:
        return tracker

    with Tracked(CodecarbonSettings(country=country), make, Atlas()) as window:
        tracker.calls.append("work")
    return window.reading


def test_kilowatt_hours_become_joules() -> None:
    reading = read(Data())

    assert (reading.cpu_j, reading.ram_j, reading.energy_j) == (3600.0, 7200.0, 10800.0)
    assert (reading.emissions_kg, reading.intensity_kg_per_kwh, reading.grid_year) == (
        0.0012,
        0.4,
        2023,
    )
    assert reading.duration_s == 60.0


def test_a_machine_without_a_gpu_has_a_total_and_no_gpu_part() -> None:
    reading = read(Data())

    assert reading.gpu_j is None
    assert reading.reason("gpu_j") == figures.NO_GPU
    assert reading.reason("energy_j") is None


@pytest.mark.parametrize(
    ("silent", "field", "why"),
    [
        (Data(cpu_energy=0.0), "cpu_j", figures.NO_CPU),
        (Data(ram_energy=0.0), "ram_j", figures.NO_RAM),
        (Data(gpu_count=1), "gpu_j", figures.SILENT_GPU),
        (Data(cpu_energy=float("nan")), "cpu_j", figures.NO_CPU),
    ],
)
def test_a_part_of_zero_is_absent_and_takes_total_and_emissions_with_it(
    silent: Data, field: str, why: str
) -> None:
    reading = read(silent)

    assert getattr(reading, field) is None
    assert reading.reason(field) == why
    assert (reading.energy_j, reading.emissions_kg) == (None, None)
    assert reading.reason("energy_j") == why
    assert reading.reason("emissions_kg")


def test_without_a_grid_there_is_energy_and_no_emissions() -> None:
    reading = read(Data(), NOWHERE)

    assert reading.energy_j == 10800.0
    assert (reading.emissions_kg, reading.grid, reading.intensity_kg_per_kwh) == (None, None, None)
    assert reading.reason("emissions_kg") == "no country given"


def test_the_assumed_power_is_told_only_where_it_makes_the_figure() -> None:
    ram = SimpleNamespace(_tracking_mode="process")
    load = SimpleNamespace(_mode="cpu_load", _tdp=8)
    counter = SimpleNamespace(_mode="intel_rapl", _tdp=85)

    assert figures.assumed([ram, load]) == Assumed(mode="cpu_load", power_w=8.0)
    assert figures.assumed([ram, counter]) == Assumed(mode="intel_rapl")
    assert figures.assumed([ram, SimpleNamespace(_mode="cpu_load")]) == Assumed(mode="cpu_load")
    assert figures.assumed([ram]) == Assumed()


def test_a_country_and_a_region_have_the_intensity_of_the_atlas() -> None:
    germany = grid.look_up(CodecarbonSettings(country="DEU"), Atlas())
    quebec = grid.look_up(CodecarbonSettings(country="CAN", region="quebec"), Atlas())

    assert germany == GERMANY
    assert quebec == Grid(name="Canada, quebec", kg_per_kwh=0.004)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (CodecarbonSettings(), "no country given"),
        (CodecarbonSettings(country="XXX"), "no country 'XXX'"),
        (CodecarbonSettings(country="DEU", region="bavaria"), "no region 'bavaria' of DEU"),
    ],
)
def test_a_place_codecarbon_does_not_know_is_refused_not_averaged(
    settings: CodecarbonSettings, why: str
) -> None:
    found = grid.look_up(settings, Atlas())

    assert isinstance(found, NoGrid)
    assert why in found.reason


def test_the_window_lies_between_start_and_stop() -> None:
    tracker = FakeTracker()

    reading = track(tracker, country="DEU")

    assert tracker.calls == ["start", "work", "stop"]
    assert (reading.energy_j, reading.grid, reading.cpu_power_w) == (10800.0, "Germany", 8.0)


def test_none_is_a_fault_and_says_what_codecarbon_logged() -> None:
    class Failing(FakeTracker):
        def start(self) -> None:
            try:
                Path("/no/such/energy_uj").read_text()
            except FileNotFoundError:
                LOG.warning("graceful shutdown. Exceptions:", exc_info=True)

    reading = track(Failing(returns=None, logs=["Tracker already stopped or never started."]))

    assert reading.energy_j is None
    assert reading.reason("energy_j") == (
        "codecarbon failed: FileNotFoundError: "
        "[Errno 2] No such file or directory: '/no/such/energy_uj'"
    )


def test_none_without_an_exception_says_the_warnings_or_that_there_were_none() -> None:
    locked = track(FakeTracker(returns=None, logs=["Another instance is running"]))
    silent = track(FakeTracker(returns=None))

    assert locked.reason("energy_j") == "Another instance is running"
    assert "None" in str(silent.reason("energy_j"))


def test_its_warnings_are_remarks_once_each_and_reach_no_handler(
    capsys: pytest.CaptureFixture[str],
) -> None:
    handler = logging.StreamHandler()
    LOG.addHandler(handler)
    lines = ["Falling back  on\nCPU load mode.", "Falling back on CPU load mode.", "stopping."]

    reading = track(FakeTracker(logs=lines))

    LOG.removeHandler(handler)
    assert reading.remarks == ("Falling back on CPU load mode.",)
    assert capsys.readouterr().err == ""
    assert not LOG.filters


def test_where_it_is_not_installed_the_block_runs_and_the_reading_says_so() -> None:
    def make(*_: object) -> FakeTracker:
        raise ModuleNotFoundError("No module named 'codecarbon'")

    done = False
    with Tracked(CodecarbonSettings(), make, Atlas()) as window:
        done = True

    assert done
    assert "pip install 'steelyard[energy]'" in str(window.reading.reason("energy_j"))


def test_a_fault_in_the_window_is_raised_and_codecarbon_still_stopped() -> None:
    tracker = FakeTracker()
    window = Tracked(CodecarbonSettings(), lambda *_: tracker, Atlas())

    with pytest.raises(ZeroDivisionError), window:
        _ = 1 // 0

    assert tracker.calls == ["start", "stop"]
    assert window.reading.energy_j == 10800.0


def test_a_reading_before_the_end_says_so() -> None:
    window = Tracked(CodecarbonSettings(), lambda *_: FakeTracker(), Atlas())

    assert window.reading.reason("energy_j") == UNFINISHED


def test_it_takes_no_lock_writes_no_file_and_asks_no_network() -> None:
    given = arguments(CodecarbonSettings(country="DEU", cpu_power_w=20.0), "folder")

    assert given["allow_multiple_runs"] is True
    assert given["output_methods"] == []
    assert (given["emissions_endpoint"], given["electricitymaps_api_token"]) == (None, "")
    assert (given["tracking_mode"], given["measure_power_secs"]) == ("process", 15.0)
    assert (given["country_iso_code"], given["force_cpu_power"]) == ("DEU", 20.0)
