"""Weigh a worker that answers."""

from __future__ import annotations

from steelyard import limits
from steelyard.cgroups import Usage
from steelyard.job import Loaded, Message, Peak
from steelyard.measure import lasting
from steelyard.measure.work import Work

ITEMS = 50
GROUP_PEAK = "memory_cgroup_peak"


def memory(work: Work) -> None:
    """Keep what the worker held after importing, after loading and at its calls' peak."""
    found = work.found

    def listen(message: Message) -> None:
        if isinstance(message, Loaded):
            found.measured("memory_after_import", "B", message.after_import)
            found.measured("memory_after_load", "B", message.after_load)
        elif isinstance(message, Peak):
            _note(work, message)

    job = work.passes.job("memory", [work.timed_items[:ITEMS]])
    with work.told.step(f"memory, {lasting.memory(work.planned.timing)}"):
        used = work.passes.run(job, listen)
    if used is not None:
        _note_group(work, used)


def _note_group(work: Work, used: Usage) -> None:
    """Keep what the worker's cgroup held at its peak: page cache and children included."""
    work.found.measured(GROUP_PEAK, "B", used.peak)
    if used.peak is None:
        reason = "the kernel keeps no memory.peak of a cgroup (Linux 5.19 and later do)"
        work.found.absent.append((GROUP_PEAK, reason))


def _note(work: Work, told: Peak) -> None:
    found, limit = work.found, work.planned.limit
    found.measured("memory_peak", "B", told.peak)
    for quantity, size in told.reading.quantities():
        found.measured(quantity, "B", size)
    found.absent += [(one.quantity, one.reason) for one in told.reading.absent]
    if limit is not None:
        found.warn(limits.caution(limit, told.peak, told.reading))
    if not told.reset:
        found.warn("memory_peak includes loading: VmHWM could not be reset")
