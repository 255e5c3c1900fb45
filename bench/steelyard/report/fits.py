"""The smallest usual budget of memory that a cell is known to fit in, and by what evidence."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, structs

from steelyard.limits import unconstrained
from steelyard.record import Cell, MemoryLimit, Record
from steelyard.record_figures import peak_bytes
from steelyard.report import units

BUDGETS = (256_000_000, 512_000_000, 10**9, 2 * 10**9, 4 * 10**9, 8 * 10**9)
NOTE = (
    "fits in: 'runs in' was held to that budget or less by a memory limit ('mapped': to so much "
    "address space); 'peak below' is the resident peak of a run without a limit, loading included."
)


class RunsIn(Struct, frozen=True, kw_only=True, tag="runs-in"):
    """A run under `limit` ended well; `budget` is the least of BUDGETS that is no smaller.

    None where the limit is larger than all of them. `too_small` is the largest limit that was.
    """

    limit: MemoryLimit
    budget: int | None
    too_small: MemoryLimit | None = None


class PeakBelow(Struct, frozen=True, kw_only=True, tag="peak-below"):
    """A run without a limit held `peak` bytes, and `budget` is the least of BUDGETS above that.

    None where none is. It says nothing of what the rest of a system of that size needs.
    """

    peak: int
    budget: int | None
    too_small: MemoryLimit | None = None


Fits = RunsIn | PeakBelow


def fits(record: Record, others: Iterable[Record]) -> Fits | None:
    """Return what `record` fits in, by the runs of the same cell under limits among `others`.

    None where there is neither a limited run that ended well nor a peak without a limit. A cgroup
    that was too small refutes a peak below it; an address space that was does not.
    """
    same = [other for other in (record, *others) if _bare(other) == _bare(record)]
    ran = _limits(other for other in same if other.outcome == "ok")
    failed = _limits(other for other in same if other.outcome == "out_of_memory")
    too_small = failed[-1] if failed else None
    if ran:
        return RunsIn(limit=ran[0], budget=_least(ran[0].bytes), too_small=too_small)
    peak = peak_bytes(record)
    if peak is None or record.memory_limit is not None:
        return None
    refuted = max((limit.bytes for limit in failed if limit.kind == "cgroup"), default=0)
    return PeakBelow(peak=peak, budget=_least(max(peak, refuted) + 1), too_small=too_small)


def text(fitting: Fits) -> str:
    """Return the cell of the column `fits in`: `runs in 512 MB`, `peak below 1 GB`."""
    if isinstance(fitting, PeakBelow):
        if fitting.budget is None:
            return f"peak {units.size(fitting.peak)}"
        return f"peak below {units.size(fitting.budget)}"
    mapped = " mapped" if fitting.limit.kind == "address-space" else ""
    return f"runs in {units.size(fitting.budget or fitting.limit.bytes)}{mapped}"


def _bare(record: Record) -> Cell:
    """Return a record's cell as it is called without a limit."""
    device = unconstrained(record.cell.device, record.memory_limit)
    return structs.replace(record.cell, device=device)


def _limits(records: Iterable[Record]) -> list[MemoryLimit]:
    """Return the limits that the records were under, the smallest first."""
    limits = [record.memory_limit for record in records]
    return sorted((limit for limit in limits if limit is not None), key=lambda limit: limit.bytes)


def _least(needed: int) -> int | None:
    return next((budget for budget in BUDGETS if budget >= needed), None)
