"""Ctrl-C in the middle of an energy pass, with a meter that runs a command of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from tests import toy

from steelyard import store
from steelyard.record import RunFile

RUN = ("run", "--cards", "cards")
# A meter as users bring them; it also says who it is, and never ends by itself.
METER = """
import os, sys, time
with open(sys.argv[1], "a") as told:
    told.write(f"{os.getpid()}\\n")
while True:
    print(f"{time.time():.6f} 5.0", flush=True)
    time.sleep(0.005)
"""
METERING = "[metering]\nwindows = 1\nwindow_seconds = 5.0\nidle_seconds = 0.2\n"


def project(folder: Path) -> Path:
    """Make two cells and a meter; return the file with the processes that were the meter."""
    toy.project(folder, tasks=2)
    suite = folder / "bench.toml"
    suite.write_text(suite.read_text().replace("[[entries]]", f"{METERING}\n[[entries]]"))
    told = folder / "meters"
    told.write_text("")
    (folder / "meter.py").write_text(METER)
    command = json.dumps([sys.executable, str(folder / "meter.py"), str(told)])
    (folder / "meter.toml").write_text(f'command = {command}\naccuracy = 0.01\nscope = "wall"\n')
    return told


def meters(told: Path) -> list[int]:
    return [int(line) for line in told.read_text().splitlines()]


def workers(pid: int) -> list[psutil.Process]:
    family = psutil.Process(pid).children(recursive=True)
    return [one for one in family if "steelyard.worker" in one.cmdline()]


def wait_for(there: Callable[[], object], child: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 300
    while not there():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline, "the energy pass did not begin"
        time.sleep(0.02)


def only_run(folder: Path) -> RunFile:
    (run,) = store.read_runs(store.latest_run(folder / "results/local"))
    return run


@pytest.mark.parametrize("whom", ["everyone at the terminal", "the run alone"])
def test_an_interrupt_in_an_energy_pass_leaves_no_process_and_keeps_what_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whom: str
) -> None:
    told = project(tmp_path)
    monkeypatch.setenv("STEELYARD_METER", str(tmp_path / "meter.toml"))
    with toy.interruptible():
        child = toy.start(tmp_path, *RUN)
    assert child.stderr is not None
    for line in child.stderr:
        if line.startswith("[1/2]"):
            break
    before = len(meters(told))
    wait_for(lambda: len(meters(told)) > before and workers(child.pid), child)
    time.sleep(1.0)  # into the window of five seconds
    assert workers(child.pid), "the energy pass was over already"

    if whom == "the run alone":
        child.send_signal(signal.SIGINT)
    else:
        os.killpg(child.pid, signal.SIGINT)  # the meter has a process group of its own
    _, err = child.communicate(timeout=60)

    assert child.returncode == 130, err
    assert "--resume goes on" in err
    assert "Traceback" not in err
    with pytest.raises(ProcessLookupError):
        os.killpg(child.pid, 0)
    assert not [pid for pid in meters(told) if psutil.pid_exists(pid)]
    folder = store.latest_run(tmp_path / "results/local")
    assert [r.cell.task for r in store.Journal.read(folder).records] == ["toy-00"]

    resumed = toy.call(tmp_path, *RUN, "--resume")

    assert resumed.returncode == 0, resumed.stderr
    first, second = only_run(tmp_path).records
    assert (first.cell.task, second.cell.task) == ("toy-00", "toy-01")
    assert [reading.meter for reading in second.energy] == ["external"]
    assert not [pid for pid in meters(told) if psutil.pid_exists(pid)]
