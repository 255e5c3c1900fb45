"""The offline shape: all items are there at once, answered in batches of each size in turn."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from steelyard import stats
from steelyard.api import Answer, BatchSession
from steelyard.card import OfflineLoad
from steelyard.errors import Refusal
from steelyard.loads import BatchTimes, OfflineResult
from steelyard.worker.rig import Rig, distinct, quiet, warm_up


def offline(rig: Rig, load: OfflineLoad) -> OfflineResult:
    """Measure each batch size; raise Refusal where the session takes one item only."""
    if not isinstance(rig.session, BatchSession):
        raise Refusal(
            f"load 'offline': {type(rig.session).__name__} answers one item at a time; "
            "leave the shape out for this model"
        )
    warmed, _ = warm_up(rig.answer, rig.timing, rig.clock)
    batches = tuple(_batch_times(rig, load, size) for size in load.batches)
    return OfflineResult(batches=batches, warm_up=warmed)


def _batch_times(rig: Rig, load: OfflineLoad, size: int) -> BatchTimes:
    count = len(rig.order)
    # As many batches as all items fill; the last one is filled up from the front.
    batches = [
        [rig.asked[(start + place) % count] for place in range(size)]
        for start in range(0, count, size)
    ]
    _answer(rig.session, batches[0])  # memory arenas grow in the first call of a size
    with quiet():
        call_ns, answers = _window(rig, load, batches)
    pairs = (
        (start * size + place, answer.label)
        for start, batch in enumerate(answers)
        for place, answer in enumerate(batch)
    )
    return BatchTimes(batch=size, call_ns=stats.pack(call_ns), answers=distinct(rig.order, pairs))


def _window(
    rig: Rig, load: OfflineLoad, batches: Sequence[list[Any]]
) -> tuple[Sequence[int], list[list[Answer]]]:
    """Return nanoseconds a call, and the answers to the first round of batches."""
    now = rig.clock.now
    session, count = rig.session, len(batches)
    call_ns = array("q")
    answers: list[list[Answer]] = []
    latest = now() + round(load.seconds * 1e9)
    while True:
        asked = batches[len(call_ns) % count]
        began = now()
        found = _answer(session, asked)
        ended = now()
        call_ns.append(ended - began)
        if len(answers) < count:
            answers.append(found)
        if ended >= latest and len(call_ns) >= load.min_calls:
            return call_ns, answers


def _answer(session: BatchSession, asked: list[Any]) -> list[Answer]:
    return session.decode_batch(session.infer_batch(session.encode_batch(asked)))
