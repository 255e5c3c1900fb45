"""`pytest --benchmark --steelyard-baseline` with real workers and a delay that is really there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests import toy

ROOT = Path(__file__).parents[2]
# Whatever else this machine does breaks no rule here, and the backend spins as long as it is told.
CONFTEST = """
from steelyard import plugins, validity

validity.RULES = ()
located = plugins.locate


def locate(kind, name):
    own = kind == "backends" and name == "null"
    return "tests.integration.spinning:Spinning" if own else located(kind, name)


plugins.locate = locate
"""


def run_pytest(folder: Path, baseline: str, *more: str) -> subprocess.CompletedProcess[str]:
    """Run the toy cell, which spins for 100 us a call, in the quick mode of both."""
    (folder / "conftest.py").write_text(CONFTEST)
    own = ("--steelyard-cards", "cards", "-p", "no:cacheprovider", "--steelyard-quick")
    return subprocess.run(
        [
            sys.executable, "-m", "pytest", "--benchmark", "--steelyard-baseline", baseline, *own,
            *more,
        ],
        cwd=folder,
        env={**toy.environment(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip


def test_a_slow_down_fails_its_item_and_junit_carries_it(tmp_path: Path) -> None:
    toy.project(tmp_path)

    done = run_pytest(tmp_path, "majority@constant?spin_us=30", "--junitxml=out.xml")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed" in done.stdout
    said = "toy-00/majority@constant/cpu-1t against majority@constant?spin_us=30:"
    assert said in done.stdout
    assert "latency REGRESSION: " in done.stdout
    assert "Traceback" not in done.stdout
    junit = (tmp_path / "out.xml").read_text()
    assert said in junit
    assert 'name="gate" value="regression"' in junit


def test_a_faster_candidate_passes(tmp_path: Path) -> None:
    toy.project(tmp_path)

    done = run_pytest(tmp_path, "majority@constant?spin_us=400", "--junitxml=out.xml")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert 'name="gate_latency" value="latency ok: ' in (tmp_path / "out.xml").read_text()


def test_a_baseline_that_cannot_be_had_is_no_pass(tmp_path: Path) -> None:
    toy.project(tmp_path)

    done = run_pytest(tmp_path, f"env:{tmp_path}/none/bin/python")

    assert done.returncode == 1
    assert "expected the Python of an environment" in done.stdout
    assert "Traceback" not in done.stdout
