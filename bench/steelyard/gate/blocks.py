"""Interleaved blocks: a fresh process of each arm, in ABBA order, repeated where one is invalid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from steelyard.evidence import Watch
from steelyard.gate.arming import Ready, afresh, record
from steelyard.gate.paired import Block
from steelyard.job import Message, Timed
from steelyard.measure import lasting
from steelyard.measure.energy import energy
from steelyard.measure.memory import memory
from steelyard.measure.work import Stretch, Work, watched
from steelyard.record import EnergyReading
from steelyard.record_figures import alike, peak_bytes, tier

# Blocks that may be lost before the device counts as too disturbed; each was tried three times.
MAY_LOSE = 3

Value = TypeVar("Value")


class Unmeasurable(Exception):  # noqa: N818 - it ends as a line of its own
    """A quantity could not be measured; the message says why."""


class Lost(Exception):  # noqa: N818 - a block that is repeated
    """A pass had no valid window; the message says which rules it broke."""


class Series(Generic[Value]):
    """The blocks of one quantity of one cell; it grows as the gate looks again."""

    def __init__(
        self,
        ready: Ready,
        once: Callable[[Work], Value],
        together: Callable[[int], Block[Value]] | None = None,
    ) -> None:
        """Take what does one arm's pass or, as `together`, a whole block by its number."""
        self._ready = ready
        self._once = once
        self._together = together
        self.blocks: list[Block[Value]] = []
        self.lost: list[str] = []

    def extend(self, count: int) -> None:
        """Measure until there are `count` blocks; raise Unmeasurable, or PassFailed.

        A block of which one half is invalid is repeated as a whole: halves of different moments
        are no pair.
        """
        while len(self.blocks) < count:
            try:
                self.blocks.append(self._block())
            except Lost as lost:
                self.lost.append(str(lost))
                if len(self.lost) >= MAY_LOSE:
                    raise Unmeasurable(
                        f"{len(self.lost)} blocks had no valid window; the last: {lost}"
                    ) from lost

    def _block(self) -> Block[Value]:
        """Do AB, then BA, then AB: in the long run neither arm is the first."""
        ready, number = self._ready, len(self.blocks) + len(self.lost)
        if self._together is not None:
            return self._together(number)
        if number % 2:
            second = self._once(afresh(ready.candidate))
            return Block(baseline=self._once(afresh(ready.baseline)), candidate=second)
        first = self._once(afresh(ready.baseline))
        return Block(baseline=first, candidate=self._once(afresh(ready.candidate)))


def timed(work: Work) -> tuple[int, ...]:
    """Return the nanoseconds of a fresh process's end-to-end calls; raise Lost."""
    told: list[Timed] = []
    job = work.passes.job("latency", [work.timed_items])

    def attempt(watch: Watch) -> None:
        told.clear()
        work.passes.run(job, listen, watch.follow)

    def listen(message: Message) -> None:
        if isinstance(message, Timed):
            told.append(message)

    takes = lasting.latency(work.planned.timing)
    watched(work, Stretch(name="latency", takes=takes), attempt, told)
    if work.found.invalid:
        raise Lost("; ".join(work.found.invalid))
    if not told:
        raise Unmeasurable("the worker timed no calls")
    return told[0].end_to_end


def peak(work: Work) -> float:
    """Return the most bytes that a fresh process held; raise Unmeasurable."""
    memory(work)
    found = peak_bytes(record(work))
    if found is None:
        raise Unmeasurable("this system does not tell a process's peak")
    return float(found)


def metered(work: Work) -> tuple[EnergyReading, ...]:
    """Return what the meters say of a fresh process; raise Lost."""
    energy(work)
    if work.found.invalid:
        raise Lost("; ".join(work.found.invalid))
    return work.found.energy


def joules(block: Block[tuple[EnergyReading, ...]]) -> Block[float]:
    """Return gross joules a call of both arms by the same sensor; raise Unmeasurable.

    What is modelled from processor time is no measurement of energy, and passes no gate.
    """
    pair = alike(block.baseline, block.candidate)
    if pair is None or tier(pair[0]) > 2:
        absent = [f"{one.meter}: {one.absent}" for one in block.candidate if one.absent]
        raise Unmeasurable("; ".join(absent) or "no sensor counted both arms alike")
    theirs, ours = pair[0].gross_j, pair[1].gross_j
    if not theirs or not ours or theirs < 0 or ours < 0:
        raise Unmeasurable(f"{pair[0].meter}: told no energy")
    return Block(baseline=theirs, candidate=ours)
