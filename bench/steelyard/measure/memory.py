"""Weigh a worker that answers."""

from __future__ import annotations

from steelyard import limits
from steelyard.job import Loaded, Message, Peak
from steelyard.measure.work import Work

ITEMS = 50


def memory(work: Work) -> None:
    """Keep what the worker held after importing, after loading and at its calls' peak."""
    found = work.found

    def listen(message: Message) -> None:
        if isinstance(message, Loaded):
            found.measured("memory_after_import", "B", message.after_import)
            found.measured("memory_after_load", "B", message.after_load)
        elif isinstance(message, Peak):
            _note(work, message)

    work.passes.run(work.passes.job("memory", [work.timed_items[:ITEMS]]), listen)


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
