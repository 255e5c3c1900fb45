"""An external meter that is a real command: it runs, and nothing of it is left behind."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from steelyard.api import Trace
from steelyard.energy import Energy, energy_between
from steelyard.host.machine import Machine
from steelyard.meters.external import External
from steelyard.meters.listening import Settings

# Prints a line every 10 ms, and ignores a polite request to end.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("#", child.pid, flush=True)
open(sys.argv[1], "w").write(str(child.pid))
while True:
    print(time.time(), 5.0, flush=True)
    time.sleep(0.01)
"""


def metered(code: str, *arguments: str) -> Trace:
    command = (sys.executable, "-c", code, *arguments)
    meter = External(Machine(), Settings(command=command, accuracy=0.01))
    meter.start()
    return meter.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="process groups as Linux has them")
def test_a_commands_lines_cover_the_time_between_start_and_stop(tmp_path: Path) -> None:
    trace = metered(STUBBORN, str(tmp_path / "child"))

    times = trace.channels[0].times_ns
    energy = energy_between(trace, times[0], times[-1])
    assert isinstance(energy, Energy)
    assert energy.watts == pytest.approx(5.0)
    assert all(before < after for before, after in pairwise(times))
    assert trace.faults == ()


def test_what_a_command_started_ends_with_it(tmp_path: Path) -> None:
    metered(STUBBORN, str(tmp_path / "child"))

    child = int((tmp_path / "child").read_text())
    assert child != os.getpid()
    try:
        # Killed already, but a busy machine may let it die late.
        psutil.Process(child).wait(timeout=30)
    except psutil.NoSuchProcess:
        pass
    except psutil.TimeoutExpired:
        # Dead, and not yet reaped by init.
        assert psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_a_command_that_fails_is_told_with_its_last_words() -> None:
    trace = metered("import sys; print('no device on this port', file=sys.stderr); sys.exit(3)")

    assert trace.channels[0].values == ()
    assert any("ended with status 3: no device on this port" in fault for fault in trace.faults)
