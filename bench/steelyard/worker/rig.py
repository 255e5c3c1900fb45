"""What the load shapes drive: an open session, its items in order, and the clock."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from math import gcd
from typing import Any

from msgspec import Struct

from steelyard import stats
from steelyard.api import Item
from steelyard.card import Timing
from steelyard.loads import Pairs, Warmed
from steelyard.worker.clock import Clock

# Looking whether it has settled costs a quarter of a millisecond on a long list.
LOOK_NS = 50_000_000


class Rig(Struct, frozen=True, kw_only=True):
    """An open session, the items in the order in which they are cycled, what is asked of each."""

    session: Any
    order: tuple[Item, ...]
    asked: tuple[Any, ...]
    timing: Timing
    seed: int
    clock: Clock

    def answer(self, index: int) -> None:
        """Do call `index`, untimed."""
        payload = self.asked[index % len(self.asked)]
        self.session.decode(self.session.infer(self.session.encode(payload)))


def shuffled(items: Sequence[Item], seed: int) -> tuple[Item, ...]:
    """Return the items in a fixed order that the seed decides."""
    order = list(items)
    random.Random(seed).shuffle(order)  # noqa: S311 - an order, not a secret
    return tuple(order)


def warm_up(call: Callable[[int], object], timing: Timing, clock: Clock) -> tuple[Warmed, int]:
    """Do `call` 0, 1, 2, ... until the times have settled (stats.settled), or the time is up.

    Return how it went and the median of the last quarter of the calls, in nanoseconds.
    """
    taken: list[int] = []
    looked = start = clock.now()
    while True:
        began = clock.now()
        call(len(taken))
        now = clock.now()
        taken.append(now - began)
        if now - looked < LOOK_NS:
            continue
        looked = now
        seconds = (now - start) / 1e9
        enough = len(taken) >= timing.warm_up_min_calls and seconds >= timing.warm_up_min_seconds
        settled = enough and stats.settled(taken)
        if settled or seconds >= timing.warm_up_max_seconds:
            last = sorted(taken[-max(1, len(taken) // 4) :])
            warmed = Warmed(calls=len(taken), seconds=seconds, settled=settled)
            return warmed, last[len(last) // 2]


@contextmanager
def quiet() -> Generator[None, None, None]:
    """Keep the garbage collector out of timed calls."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def coprime(every: int, items: int) -> int:
    """Return the least number from `every` on that has every n-th call meet all items in turn."""
    while gcd(every, items) > 1:
        every += 1
    return every


def distinct(order: Sequence[Item], answered: Iterable[tuple[int, str]]) -> Pairs:
    """Return the different (item, label) pairs among (index of a call, its label), sorted."""
    return tuple(sorted({(order[index % len(order)].id, label) for index, label in answered}))
