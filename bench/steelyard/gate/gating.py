"""The gate itself: what has no blocks first, then look after look until all cells are decided."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct, structs

from steelyard import stats
from steelyard.errors import SteelyardError
from steelyard.gate import fast, fixed, lines
from steelyard.gate.arming import Ready
from steelyard.gate.blocks import Series, Unmeasurable, timed
from steelyard.gate.bounds import bounds
from steelyard.gate.paired import Block, halves
from steelyard.gate.sequence import Looks
from steelyard.gate.types import QUANTITIES, Bounds, CellResult, Line, Mode, Quantity
from steelyard.progress import Progress
from steelyard.record import Host
from steelyard.report import units
from steelyard.spawn import PassFailed

FAST = Looks(blocks=(fast.PROCESSES,))
DESCRIBED = "described, not gated: it differs too much between processes"

Calls = tuple[int, ...]


class Terms(Struct, frozen=True, kw_only=True):
    """What a gate measures and by what it judges; `named` are quantities that were asked for."""

    host: Host
    mode: Mode = "blocks"
    looks: Looks = Looks()
    quantities: tuple[Quantity, ...] = QUANTITIES
    named: frozenset[Quantity] = frozenset()
    margin: float | None = None

    def bounds(self, quantity: Quantity) -> Bounds:
        """Return the bounds of a quantity on this machine."""
        return bounds(quantity, self.host, self.margin)


class _Cell:
    """A cell under way: its lines that are settled, and the blocks of its latency."""

    def __init__(self, ready: Ready, terms: Terms) -> None:
        self.ready = ready
        self.terms = terms
        self.settled: tuple[Line, ...] = ()
        self.series: Series[Calls] = Series(ready, timed, _paired(ready, terms))
        self.latency: Line | None = None

    @property
    def lines(self) -> tuple[Line, ...]:
        return (*((self.latency,) if self.latency else ()), *self.settled)

    def look(self, count: int) -> None:
        """Measure up to `count` blocks and judge them."""
        try:
            self.series.extend(count)
            blocks = [halves(block) for block in self.series.blocks]
            self.latency = lines.over_blocks(
                "latency", blocks, self.terms.bounds("latency"), self.terms.looks
            )
        except (Unmeasurable, PassFailed, SteelyardError) as error:
            self.latency = lines.absent("latency", str(error))

    def result(self, judged: tuple[Line, ...]) -> CellResult:
        blocks = self.series.blocks
        pairs = [halves(block) for block in blocks]
        return CellResult(
            cell=self.ready.name,
            baseline=self.ready.baseline.planned.cell.id,
            candidate=self.ready.candidate.planned.cell.id,
            lines=judged,
            medians_ns=tuple((pair.baseline, pair.candidate) for pair in pairs),
            lost=tuple(self.series.lost),
            notes=tuple(_described(blocks)),
        )


def gate(readies: Sequence[Ready], terms: Terms, progress: Progress) -> tuple[CellResult, ...]:
    """Measure and judge all cells; a quantity that cannot be measured is a line that says so."""
    cells = [_Cell(ready, terms) for ready in readies]
    for cell in cells:
        cell.settled = tuple(fixed.settled(cell.ready, terms, progress))
    for count in terms.looks.blocks if "latency" in terms.quantities else ():
        for cell in _open(cells):
            progress.say(f"{cell.ready.name}: {count} blocks of both arms")
            cell.look(count)
    return tuple(cell.result(judged) for cell, judged in zip(cells, _judged(cells), strict=True))


def _open(cells: Sequence[_Cell]) -> list[_Cell]:
    """Return the cells whose latency is not decided yet, all lines so far considered."""
    latest = [next(iter(judged), None) for judged in _judged(cells)]
    return [
        cell
        for cell, line in zip(cells, latest, strict=True)
        if cell.latency is None or (line is not None and line.status == "inconclusive")
    ]


def _judged(cells: Sequence[_Cell]) -> list[tuple[Line, ...]]:
    """Return the lines of each cell after Holm over all cells."""
    judged = iter(lines.together([line for cell in cells for line in cell.lines]))
    return [tuple(next(judged) for _ in cell.lines) for cell in cells]


def _paired(ready: Ready, terms: Terms) -> Callable[[int], Block[Calls]] | None:
    """Return what makes a whole block in one process, or None for the usual mode."""
    if terms.mode == "blocks":
        return None

    def once(number: int) -> Block[Calls]:
        why = fast.refuse(ready)
        if why is not None:
            raise Unmeasurable(why)
        return fast.once(ready, number)

    return once


def _described(blocks: Sequence[Block[Calls]]) -> list[str]:
    arms = ([c for b in blocks for c in b.baseline], [c for b in blocks for c in b.candidate])
    found = [stats.percentile(calls, 0.99) if calls else None for calls in arms]
    known = [one for one in found if isinstance(one, stats.Quantile)]
    if len(known) < 2:
        return []
    theirs, ours = (units.duration(one.value) for one in known)
    return [f"p99 {theirs} -> {ours}, {DESCRIBED}"]


def with_looks(terms: Terms, looks: Looks | None) -> Terms:
    """Return the terms with other looks: those of the fast mode, or those that were planned."""
    if terms.mode == "fast":
        return structs.replace(terms, looks=FAST)
    return structs.replace(terms, looks=looks or terms.looks)
