"""The sustained shape: one call after the other for minutes, which shows heat and leaks."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import ceil

from msgspec import Struct

from steelyard import stats
from steelyard.card import SustainedLoad
from steelyard.loads import SustainedResult
from steelyard.worker.rig import Rig, coprime, distinct, quiet, warm_up

# 16 MB of stamps, which stay out of the way of what is measured.
KEPT_CALLS = 1_000_000


class Kept(Struct, frozen=True, kw_only=True):
    """The calls kept of a window: when they began, how long they took, what they answered."""

    start_ns: Sequence[int]
    call_ns: Sequence[int]
    labels: Sequence[str]
    calls: int


def sustained(rig: Rig, load: SustainedLoad) -> SustainedResult:
    """Call for minutes on end, keeping every call, or every n-th of very short ones."""
    warmed, typical_ns = warm_up(rig.answer, rig.timing, rig.clock)
    span_ns = round(load.minutes * 60e9)
    every = thinning(ceil(span_ns / max(1, typical_ns)), len(rig.order))
    with quiet():
        kept = window(rig, span_ns, every)
    pairs = ((number * every, label) for number, label in enumerate(kept.labels))
    return SustainedResult(
        start_ns=stats.pack(kept.start_ns),
        call_ns=stats.pack(kept.call_ns),
        calls=kept.calls,
        every=every,
        answers=distinct(rig.order, pairs),
        warm_up=warmed,
    )


def thinning(expected: int, items: int, keep: int = KEPT_CALLS) -> int:
    """Return which share of `expected` calls to keep: every n-th, so that all items are met."""
    return coprime(max(1, ceil(expected / keep)), items)


def window(rig: Rig, span_ns: int, every: int) -> Kept:
    """Call until `span_ns` have passed; keep calls 0, `every`, 2 * `every`, ..."""
    now, session = rig.clock.now, rig.session
    count = len(rig.asked)
    starts, taken = array("q"), array("q")
    labels: list[str] = []
    calls = 0
    origin = now()
    latest = origin + span_ns
    while True:
        payload = rig.asked[calls % count]
        began = now()
        answer = session.decode(session.infer(session.encode(payload)))
        ended = now()
        if calls % every == 0:
            starts.append(began - origin)
            taken.append(ended - began)
            labels.append(answer.label)
        calls += 1
        if ended >= latest:
            return Kept(start_ns=starts, call_ns=taken, labels=labels, calls=calls)
