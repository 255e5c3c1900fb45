"""A competing process, for real: seen, put to its account, and reason enough to doubt a window."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from steelyard.evidence import Kernel, Watch, evidence_between
from steelyard.host.machine import Machine
from steelyard.host.state import probe
from steelyard.readings import Window

KERNEL = Kernel()
# What the competitor is given, however long it takes on a machine that is busy already: enough to
# stand out of the ticks of 10 ms that the kernel counts in.
ENOUGH_S = 1.0
# What one core counts at one instant may lag by ticks; the two watches do not look at once.
TICKS_S = 0.15


@contextmanager
def competitor() -> Generator[subprocess.Popen[bytes], None, None]:
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def cpu_s(pid: int) -> float:
    used = KERNEL.use(pid)
    assert used is not None
    return used.cpu_s


def wait_until_used(pid: int, seconds: float) -> None:
    """Wait until the process has had so much of the processor and a second has gone by."""
    goal = cpu_s(pid) + seconds
    deadline = time.monotonic() + 120
    earliest = time.monotonic() + 1.2
    while cpu_s(pid) < goal or time.monotonic() < earliest:
        if time.monotonic() > deadline:
            pytest.skip(f"this machine gave a busy process less than {seconds:g} s in two minutes")
        time.sleep(0.05)


def window(start_ns: int) -> Window:
    cores = os.cpu_count()
    assert cores is not None
    return Window(name="timed", start_ns=start_ns, end_ns=time.monotonic_ns(), cores=cores)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_a_competing_process_is_seen_put_to_its_account_and_makes_the_window_invalid() -> None:
    look = probe(Machine())
    # Two watches of the same time: for one the process is a stranger, for the other its worker.
    stranger, friend = Watch(look), Watch(look)
    with competitor() as child:
        friend.follow(child.pid)
        with stranger, friend:
            before, start_ns = cpu_s(child.pid), time.monotonic_ns()
            wait_until_used(child.pid, ENOUGH_S)
            timed = window(start_ns)
            used = cpu_s(child.pid) - before

    foreign = evidence_between(stranger.readings, timed)
    ours = evidence_between(friend.readings, timed)

    assert foreign.foreign_load is not None
    assert ours.foreign_load is not None
    taken = foreign.foreign_load - ours.foreign_load
    assert taken * timed.seconds == pytest.approx(used, abs=TICKS_S, rel=0.1)
    assert any(said.startswith("other processes used ") for said in foreign.broken)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_a_worker_that_was_waited_for_stays_ours() -> None:
    look = probe(Machine())
    with Watch(look) as watched:
        start_ns = time.monotonic_ns()
        with competitor() as child:
            watched.follow(child.pid)
            wait_until_used(child.pid, ENOUGH_S)
            used = cpu_s(child.pid)
        end = window(start_ns)

    first, last = watched.readings[0], watched.readings[-1]
    assert last.worker is None
    assert last.ours_s - first.ours_s >= used
    # Counted twice, it would leave less than nothing for the others, and be hidden as nothing.
    assert last.state.busy_s is not None
    assert first.state.busy_s is not None
    busy_s = last.state.busy_s - first.state.busy_s
    assert last.ours_s - first.ours_s <= busy_s + TICKS_S
    assert evidence_between(watched.readings, end).foreign_load is not None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_a_process_that_is_not_our_child_is_not_followed() -> None:
    assert KERNEL.use(os.getppid()) is None
    assert KERNEL.use(os.getpid()) is None
