"""Watch the machine while a pass runs, and say of each of its windows what was seen."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

from msgspec import structs

from steelyard import readings as read
from steelyard import validity
from steelyard.host.state import State
from steelyard.readings import Reading, Window, WorkerUse
from steelyard.record import Evidence
from steelyard.validity import Limits

# measuring.md: 1 Hz. More often costs the measured worker more than it tells.
PERIOD_S = 1.0


class Probe(Protocol):
    """What reads the machine; `steelyard.host.state.probe` makes the real one."""

    def state(self) -> State: ...


class Processes(Protocol):
    """What the kernel says of this process, of the children it has waited for, and of others."""

    def own_s(self) -> float: ...

    def reaped_s(self) -> float: ...

    def thread_s(self) -> float: ...

    def use(self, pid: int) -> WorkerUse | None: ...


class Stop(Protocol):
    """What the watching thread blocks on; a threading.Event is one."""

    def wait(self, timeout: float) -> bool: ...

    def set(self) -> None: ...


class Kernel:
    """The kernel of this machine. Processor time in seconds."""

    def own_s(self) -> float:
        """Return what this process has used."""
        return _cpu_s(resource.RUSAGE_SELF)

    def reaped_s(self) -> float:
        """Return what the children that were waited for had used, and theirs."""
        return _cpu_s(resource.RUSAGE_CHILDREN)

    def thread_s(self) -> float:
        """Return what this thread has used."""
        return time.thread_time()

    def use(self, pid: int) -> WorkerUse | None:
        """Return what a child of ours used; None once it was waited for, or is another's."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return None
        return worker_use(stat, os.getpid(), os.sysconf("SC_CLK_TCK"))


def worker_use(stat: str, parent: int, ticks_hz: int) -> WorkerUse | None:
    """Read /proc/PID/stat (proc_pid_stat(5)); None where `parent` is not the process's parent.

    Times in ticks: utime stime cutime cstime are fields 14 to 17, majflt is 12. The name in field 2
    may hold spaces and brackets.
    """
    fields = stat.rpartition(")")[2].split()
    if len(fields) < 15 or int(fields[1]) != parent:
        return None
    ticks = sum(int(field) for field in fields[11:15])
    return WorkerUse(cpu_s=ticks / ticks_hz, major_faults=int(fields[9]))


class Watch:
    """Reads the machine once a second, from entering to leaving the context, on its own thread.

    Between readings the thread blocks; the first is taken before anything inside begins, the last
    when all of it is over.
    """

    def __init__(
        self,
        probe: Probe,
        *,
        processes: Processes | None = None,
        stop: Stop | None = None,
        now_ns: Callable[[], int] = time.monotonic_ns,
        period_s: float = PERIOD_S,
    ) -> None:
        self._probe = probe
        self._processes = processes or Kernel()
        self._stop = stop or threading.Event()
        self._now_ns = now_ns
        self._period_ns = int(period_s * 1e9)
        self._pid: int | None = None
        self._helpers: list[int] = []
        self._readings: list[Reading] = []
        self._thread = threading.Thread(target=self._loop, name="steelyard-watch", daemon=True)

    @property
    def readings(self) -> tuple[Reading, ...]:
        """What was read so far, in order."""
        return tuple(self._readings)

    def follow(self, pid: int) -> None:
        """Name the worker, a child of this process: its work is not foreign."""
        self._pid = pid

    def count(self, pid: int) -> None:
        """Name another child, such as a meter's command or a cold start: it is not foreign."""
        self._helpers.append(pid)

    def __enter__(self) -> Watch:  # noqa: PYI034 - `Self` is Python 3.11's
        self._read()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._read()

    def _loop(self) -> None:
        due_ns = self._now_ns() + self._period_ns
        while not self._stop.wait(max(0, due_ns - self._now_ns()) / 1e9):
            self._read()
            # What a slow sensor or a stalled machine has missed is missed: no burst follows.
            late = max(0, self._now_ns() - due_ns) // self._period_ns
            due_ns += (late + 1) * self._period_ns

    def _read(self) -> None:
        thread_s, reaped_s = self._processes.thread_s(), self._processes.reaped_s()
        before, alive = self._worker(), self._alive()
        state = self._probe.state()
        worker = self._worker()
        cost_s = self._processes.thread_s() - thread_s
        if (before is None) == (worker is None) and alive == self._alive():
            # Commands that the probe ran were waited for meanwhile; no child of ours was.
            cost_s += self._processes.reaped_s() - reaped_s
        ours_s = self._ours_s(worker)
        self._readings.append(Reading(state=state, ours_s=ours_s, worker=worker, cost_s=cost_s))

    def _ours_s(self, worker: WorkerUse | None) -> float:
        """Return what parent and worker used; once waited for, the worker is in the parent's."""
        own_s = self._processes.own_s() + self._processes.reaped_s() + self._helped_s()
        if worker is None:
            return own_s
        if self._worker() is None:
            return self._processes.own_s() + self._processes.reaped_s() + self._helped_s()
        return own_s + worker.cpu_s

    def _helped_s(self) -> float:
        uses = (self._processes.use(pid) for pid in self._helpers)
        return sum(use.cpu_s for use in uses if use is not None)

    def _alive(self) -> int:
        return sum(self._processes.use(pid) is not None for pid in self._helpers)

    def _worker(self) -> WorkerUse | None:
        return None if self._pid is None else self._processes.use(self._pid)


def evidence_between(
    readings: Sequence[Reading], window: Window, limits: Limits | None = None
) -> Evidence:
    """Return what `readings` show of a window, with the rules that it broke. Pure."""
    seen = read.around(readings, window)
    # A reading outside may show an idle clock: it serves where there is none inside.
    clocks = read.clocks(read.inside(readings, window) or seen)
    temperatures = read.temperatures(seen)
    events = read.throttle_events(seen)
    evidence = Evidence(
        window=window.name,
        seconds=window.seconds,
        readings=len(seen),
        lowest_temperature_c=min(temperatures, default=None),
        highest_temperature_c=max(temperatures, default=None),
        lowest_clock_hz=min(clocks, default=None),
        highest_clock_hz=max(clocks, default=None),
        governor=next(iter(read.governors(seen)), None),
        throttled=read.throttled(seen),
        throttle_events=None if events is None else sum(events.values()),
        swapped_pages=read.swapped_pages(seen),
        major_faults=read.major_faults(seen),
        oom_kills=read.grown(seen, lambda state: state.oom_kills),
        foreign_load=read.foreign_load(seen),
        stolen_load=read.stolen_load(seen),
        watch_load=read.watch_load(seen),
        broken=validity.broken_rules(readings, window, limits),
    )
    return structs.replace(evidence, untold=_untold(evidence))


# What a record without them must name. `watch_load` is ours to know, not the device's to tell.
TOLD = {
    "highest_temperature_c": "temperature",
    "highest_clock_hz": "clock",
    "governor": "governor",
    "throttled": "throttling now",
    "throttle_events": "throttle events",
    "swapped_pages": "swapped pages",
    "major_faults": "major page faults",
    "oom_kills": "kills for memory",
    "foreign_load": "foreign load",
    "stolen_load": "time taken by a hypervisor",
}


def _untold(evidence: Evidence) -> tuple[str, ...]:
    return tuple(words for name, words in TOLD.items() if getattr(evidence, name) is None)


def _cpu_s(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime
