"""All passes of a cell for real: load shapes, a meter that tells watts, a machine without one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests import toy

from steelyard import catalog, host, plan, store
from steelyard.loads import ColdStartResult, PoissonResult
from steelyard.measure import Bench, measure_cell
from steelyard.prepare.cache import Cache
from steelyard.progress import Silent
from steelyard.record import Record

WATTS = 5.0
# A meter as users bring them: a command that prints seconds and watts.
METER = f"""
import sys, time
while True:
    print(f"{{time.time():.6f}} {WATTS}", flush=True)
    time.sleep(0.005)
"""


def records(folder: Path) -> tuple[Record, ...]:
    (run,) = (folder / "results/local").iterdir()
    return tuple(record for file in store.read_runs(run) for record in file.records)


def extend(folder: Path, suite: str = "", entry: str = "") -> None:
    path = folder / "bench.toml"
    head, bar, tail = path.read_text().partition("[[entries]]")
    path.write_text(f"{head}{suite}\n{bar}{tail}{entry}\n")


def test_load_shapes_leave_their_times_and_refusals_a_warning(tmp_path: Path) -> None:
    toy.project(tmp_path)
    shapes = (
        'shape = "offline"\nbatches = [1, 2]\nseconds = 0.05',
        'shape = "poisson"\nrate_hz = 200.0\ndeadline_s = 0.05\nseconds = 0.2',
        'shape = "cold-start"\nstarts = 2',
        'shape = "generate"',
    )
    extend(tmp_path, entry="".join(f"\n[[entries.loads]]\n{shape}\n" for shape in shapes))

    done = toy.call(tmp_path, "run", "--cards", "cards")

    assert done.returncode == 0, done.stderr
    (record,) = records(tmp_path)
    # The baseline answers one text at a time and writes none.
    # A window that a busy machine has made invalid leaves its evidence and no result.
    shown = {"load poisson": PoissonResult, "load cold-start": ColdStartResult}
    valid = {name: kind for name, kind in shown.items() if not record.broken(name)}
    assert [type(load) for load in record.loads] == list(valid.values())
    said = " ".join(record.warnings)
    assert "NullSession answers one item at a time" in said, said
    assert "NullSession writes no text" in said, said
    cold = [load for load in record.loads if isinstance(load, ColdStartResult)]
    assert all(s.imported_ns < s.opened_ns < s.answered_ns for one in cold for s in one.starts)
    assert ("missed the deadline" in done.stdout) == ("load poisson" in valid)
    assert ("to first answer" in done.stdout) == ("load cold-start" in valid)


def metered(folder: Path, monkeypatch: pytest.MonkeyPatch, meter: str, metering: str) -> Record:
    """Measure the toy cell with an external meter."""
    toy.project(folder)
    (folder / "meter.py").write_text(meter)
    command = json.dumps([sys.executable, str(folder / "meter.py")])
    settings = folder / "meter.toml"
    settings.write_text(f'command = {command}\naccuracy = 0.01\nscope = "wall"\n')
    monkeypatch.setenv("STEELYARD_METER", str(settings))
    monkeypatch.setenv("STEELYARD_CACHE", str(folder / "cache"))
    # Whatever else this machine does while tests run is no matter here.
    monkeypatch.setattr("steelyard.validity.RULES", ())
    extend(folder, suite=f"[metering]\n{metering}\n")
    suite = plan.load_suite(folder / "bench.toml")
    (planned,) = plan.cells(suite, catalog.load((folder / "cards",)), host.cores())
    record = measure_cell(planned, Bench(cache=Cache.default(), progress=Silent())).record
    assert record.outcome == "ok", record.reason
    return record


def test_energy_by_a_meter_of_constant_power_is_power_times_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief = "windows = 2\nwindow_seconds = 0.6\nidle_seconds = 0.3"

    record = metered(tmp_path, monkeypatch, METER, brief)

    (reading,) = record.energy
    assert reading.absent is None
    assert (reading.meter, reading.tier, reading.scope) == ("external", 1, "wall")
    assert reading.seconds_a_call is not None
    assert reading.gross_j == pytest.approx(WATTS * reading.seconds_a_call, rel=1e-6)
    assert reading.idle_watts == pytest.approx(WATTS)
    # Nothing above idle: absent with its reason, never 0.
    assert reading.net_j is None
    assert "idling" in (reading.no_net or "")
    assert record.no_energy  # what the other meters said


def test_windows_too_short_for_a_slow_meter_are_made_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = METER.replace("sleep(0.005)", "sleep(0.025)")

    record = metered(
        tmp_path, monkeypatch, slow, "windows = 1\nwindow_seconds = 0.5\nidle_seconds = 0.3"
    )

    (reading,) = record.energy
    assert reading.absent is None
    assert reading.updates is not None
    assert reading.updates >= 50
    assert reading.gross_j is not None


@pytest.mark.skipif(
    any(Path(p).exists() for p in ("/sys/class/powercap/intel-rapl:0", "/proc/driver/nvidia")),
    reason="this machine has a sensor",
)
def test_a_machine_without_a_sensor_says_so_everywhere(tmp_path: Path) -> None:
    toy.project(tmp_path)

    done = toy.call(tmp_path, "run", "--cards", "cards")

    (record,) = records(tmp_path)
    assert record.energy == ()
    assert any(why.startswith("rapl: ") for why in record.no_energy)
    assert "energy, carbon, cost: not measured on cpu-1t" in done.stdout
    markdown = toy.call(tmp_path, "report", "-f", "markdown").stdout
    assert "energy, carbon, cost: not measured on cpu-1t" in markdown
    told = json.loads(toy.call(tmp_path, "report", "-f", "json").stdout)
    (row,) = told["tasks"][0]["rows"]
    assert row["energy"] == []
    assert any(why.startswith("rapl: ") for why in row["no_energy"])
    csv = toy.call(tmp_path, "report", "-f", "csv").stdout
    assert "rapl: " in csv
