"""The fast mode: five processes that hold both arms, calls interleaved within each.

For quick checks: what only differs between fresh processes, such as how memory was laid out, is
shared by both arms here, and arms of different environments cannot share a process.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence

from msgspec import structs

from steelyard.evidence import Watch
from steelyard.gate.arming import Ready
from steelyard.gate.blocks import Lost, Unmeasurable
from steelyard.gate.paired import Block
from steelyard.job import Job, Message, Timed
from steelyard.spawn import Worker

PROCESSES = 5
DUEL = ("-m", "steelyard.gate.duel")


def refuse(ready: Ready) -> str | None:
    """Say why two arms cannot share a process, or return None."""
    here = Worker()
    if any(one.passes.worker.command != here.command for one in (ready.baseline, ready.candidate)):
        return "arms of different environments cannot share a process; leave --fast out"
    if ready.baseline.passes.backend != ready.candidate.passes.backend:
        return "arms of different backends do not share a process; leave --fast out"
    return None


def once(ready: Ready, process: int) -> Block[tuple[int, ...]]:
    """Return the calls of both arms in one process, opened in a seeded random order; raise Lost."""
    order: Sequence[int] = (0, 1)
    if random.Random(process).random() < 0.5:  # noqa: S311 - an order, not a secret
        order = (1, 0)
    told = _run(ready, order)
    if len(told) != 2:
        raise Unmeasurable("the worker timed no calls")
    calls = {arm: timed.end_to_end for arm, timed in zip(order, told, strict=True)}
    return Block(baseline=calls[0], candidate=calls[1])


def _run(ready: Ready, order: Sequence[int]) -> list[Timed]:
    told: list[Timed] = []
    works = (ready.baseline, ready.candidate)
    host = works[0]
    job = _job(ready, order)
    passes = structs.replace(host.passes, worker=Worker(command=(sys.executable, *DUEL)))

    def attempt(watch: Watch) -> None:
        told.clear()
        passes.run(job, listen, watch.follow)

    def listen(message: Message) -> None:
        if isinstance(message, Timed):
            told.append(message)

    seen = host.bench.lookout.until_valid("fast", attempt, _span(told), None, host.told)
    if seen.decision.action == "give_up":
        raise Lost(seen.decision.reason or "no valid window")
    return told


def _job(ready: Ready, order: Sequence[int]) -> Job:
    works = (ready.baseline, ready.candidate)
    parts = [work.passes.job("latency", [work.timed_items]) for work in works]
    return structs.replace(parts[0], parts=tuple(parts[place].parts[0] for place in order))


def _span(told: list[Timed]) -> Callable[[], tuple[int, int] | None]:
    return lambda: (told[0].start_ns, told[-1].end_ns) if told else None
