"""`pytest --benchmark` with a real worker, fed into pytest-benchmark."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests import toy

OWN = ("--steelyard-cards", "cards", "-p", "no:cacheprovider")
# Whatever else this machine does while tests run is no matter here.
CALM = "from steelyard import validity\n\nvalidity.RULES = ()\n"


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a toy project, in which no window is ever invalid."""
    (folder / "conftest.py").write_text(CALM)
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, *OWN],
        cwd=folder,
        env=toy.environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )


def test_cells_are_items_and_their_samples_reach_pytest_benchmark(tmp_path: Path) -> None:
    toy.project(tmp_path, tasks=2)

    done = run_pytest(tmp_path, "--benchmark", "--benchmark-json=out.json", "--junitxml=out.xml")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    kept = json.loads((tmp_path / "out.json").read_text())["benchmarks"]
    assert [b["name"] for b in kept] == [
        "toy-00/majority@constant/cpu-1t",
        "toy-01/majority@constant/cpu-1t",
    ]
    assert kept[0]["stats"]["rounds"] >= 20
    assert 0 < kept[0]["stats"]["median"] < 1
    assert kept[0]["extra_info"]["outcome"] == "ok"
    assert "toy-00/majority@constant/cpu-1t" in (tmp_path / "out.xml").read_text()


def test_a_cell_can_be_picked_by_k_and_by_id(tmp_path: Path) -> None:
    toy.project(tmp_path, tasks=2)

    by_k = run_pytest(tmp_path, "--benchmark", "-k", "toy-01")
    listed = run_pytest(tmp_path, "--benchmark", "--collect-only", "-q")

    assert "1 passed, 1 deselected" in by_k.stdout
    assert "bench.toml::toy-00/majority@constant/cpu-1t" in listed.stdout


def test_without_the_flag_nothing_is_collected(tmp_path: Path) -> None:
    done = run_pytest(toy.project(tmp_path))

    assert "no tests ran" in done.stdout


def test_two_runs_can_be_compared_and_drawn(tmp_path: Path) -> None:
    toy.project(tmp_path)

    first = run_pytest(tmp_path, "--benchmark", "--benchmark-autosave")
    second = run_pytest(
        tmp_path, "--benchmark", "--benchmark-compare", "--benchmark-only",
        "--benchmark-histogram=drawn",
    )  # fmt: skip

    assert first.returncode == second.returncode == 0, second.stdout + second.stderr
    assert "(0001_" in second.stdout
    assert list(tmp_path.glob("drawn*.svg"))


def test_a_cell_that_cannot_be_measured_fails_with_its_reason(tmp_path: Path) -> None:
    toy.project(tmp_path)
    (tmp_path / "cards/tasks/toy-00/toys.csv").write_text("label,text,part\n")

    done = run_pytest(tmp_path, "--benchmark")

    assert done.returncode == 1
    assert "toys.csv" in done.stdout
    assert "Traceback" not in done.stdout
