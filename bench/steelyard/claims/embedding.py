"""Whether specialists fit into embedded devices: memory, and a sensor's deadline, on boards."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from steelyard import stats
from steelyard.claims.card import Claim
from steelyard.claims.grounds import Measured, Task
from steelyard.claims.types import Standing, TaskEvidence
from steelyard.claims.weighing import Finding, Interval, of_task, stand, turned
from steelyard.limits import unconstrained
from steelyard.loads import SensorResult
from steelyard.record import Record
from steelyard.record_figures import peak_bytes
from steelyard.units_in import parse_size

NO_SPECIALIST = "no specialist was measured"


class Held(Struct, frozen=True, kw_only=True):
    """The least budget that a cell is known to fit in, or None where it fits in none of them."""

    budget: str | None
    how: str


def embedding(claim: Claim, task: Task) -> TaskEvidence:
    """Judge the specialists one by one; runs of one cell under several limits are one."""
    by_name: dict[str, list[Measured]] = {}
    for one in task.of_role("specialist"):
        by_name.setdefault(_name(one), []).append(one)
    findings = [_fitting(claim, name, runs) for name, runs in by_name.items()]
    return of_task(task.id, findings, NO_SPECIALIST)


def remarks(claim: Claim, tasks: Sequence[Task]) -> tuple[str, ...]:
    """Say how far the parts of the claim were tried, whatever it comes to."""
    cells = [one for task in tasks for one in task.of_role("specialist")]
    if not cells:
        return ()
    least = min(claim.budgets, key=parse_size)
    held = [holds((least,), [one.record]) for one in cells]
    fit = sum(one is not None and one.budget is not None for one in held)
    boards = sum(_on_board(one) for one in cells)
    driven = sum(any(isinstance(load, SensorResult) for load in one.record.loads) for one in cells)
    return (
        f"{fit} of {len(cells)} specialist cells fit into {least}",
        f"a sensor's deadlines were driven on {driven}",
        f"{boards} ran on a board" if boards else "not on a board",
    )


def holds(budgets: tuple[str, ...], records: list[Record]) -> Held | None:
    """Return the least budget that the runs of a cell fit in, and how it is known.

    A run under a limit that ended well proves it; a peak without a limit, loading included, says
    so. A cgroup that was too small refutes a peak below it, an address space that was does not.
    None where neither is there.
    """
    limits = [one.memory_limit for one in records if one.memory_limit and one.outcome == "ok"]
    held = min((limit.bytes for limit in limits), default=None)
    peak, needed = _peak(records), _needed(records)
    for budget in sorted(budgets, key=parse_size):
        size = parse_size(budget)
        if held is not None and held <= size:
            return Held(budget=budget, how=f"runs in {budget}, held by a limit")
        if peak is not None and max(peak, needed or 0) <= size:
            return Held(budget=budget, how=f"peak below {budget}, not held by a limit")
    most = max(peak or 0, needed or 0)
    if not most:
        return None
    what = f"peak {most / 1e6:,.0f} MB" if most == peak else "out of memory under a limit"
    return Held(budget=None, how=f"fits in none of {', '.join(budgets)}: {what}")


def _needed(records: list[Record]) -> int | None:
    """Return the least that is more than what a cgroup held the cell to in vain."""
    broke = [one.memory_limit for one in records if one.outcome == "out_of_memory"]
    sizes = [limit.bytes + 1 for limit in broke if limit and limit.kind == "cgroup"]
    return max(sizes, default=None)


def _fitting(claim: Claim, name: str, runs: list[Measured]) -> Finding:
    held = holds(claim.budgets, [one.record for one in runs])
    if held is None:
        return Finding(name=name, standing="not tested", text="its memory was not measured")
    boards = [one for one in runs if _on_board(one)]
    missed = _missed(boards or runs)
    standing: Standing = "undecided"
    if held.budget is None:
        standing = "refuted"
    elif boards and missed is not None:
        late = turned(stand(missed, claim.threshold))
        least = min(claim.budgets, key=parse_size)
        standing = late if late != "supported" or held.budget == least else "undecided"
    return Finding(
        name=name,
        standing=standing,
        text=f"{held.how}; {_deadlines(missed)}; {_place(boards)}",
        figure=missed,
        favour=-missed.estimate if missed else None,
    )


def _missed(runs: list[Measured]) -> Interval | None:
    """Return the largest share of missed deadlines over the sensors that were driven."""
    shares = [
        _share(load)
        for one in runs
        if not one.host.emulated
        for load in one.record.loads
        if isinstance(load, SensorResult)
    ]
    return max(shares, key=lambda share: share.estimate, default=None)


def _share(load: SensorResult) -> Interval:
    times = load.times
    latency = stats.unpack(times.latency_ns)
    good = stats.goodput(latency, times.deadline_ns, times.seconds, times.unserved)
    return Interval(estimate=good.missed_share, low=good.low, high=good.high)


def _on_board(one: Measured) -> bool:
    """Tell whether a machine names its board; a virtual or emulated one is none."""
    return one.host.board is not None and not one.host.virtual and not one.host.emulated


def _peak(records: list[Record]) -> int | None:
    found = (peak_bytes(one) for one in records if one.memory_limit is None)
    return max((peak for peak in found if peak is not None), default=None)


def _name(one: Measured) -> str:
    cell = one.record.cell
    device = unconstrained(cell.device, one.record.memory_limit)
    return f"{cell.name} on {device}"


def _deadlines(missed: Interval | None) -> str:
    if missed is None:
        return "no sensor's deadlines were driven"
    return f"{missed.estimate:.1%} of deadlines missed [{missed.low:.1%},{missed.high:.1%}]"


def _place(boards: list[Measured]) -> str:
    names = dict.fromkeys(str(one.host.board) for one in boards)
    return f"on {', '.join(names)}" if names else "not on a board"
