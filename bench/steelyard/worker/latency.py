"""The latency pass: one text a call, one call after the other, each phase timed apart."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Sequence
from typing import Any

from steelyard import stats
from steelyard.api import Item, Session
from steelyard.card import Timing
from steelyard.job import Job, Timed
from steelyard.worker.opening import Emit, opened

# Looking whether it has settled costs a quarter of a millisecond on a long list.
WARM_UP_LOOK_NS = 50_000_000


def latency(job: Job, backend: Any, emit: Emit) -> None:
    """Warm up, then time calls in a fixed shuffled order of the items."""
    part = job.parts[0]
    order = list(part.items)
    random.Random(job.seed).shuffle(order)  # noqa: S311 - an order, not a secret
    with opened(backend, part.spec, emit) as session:
        calls, seconds, settled = warm_up(session, order, job.timing)
        gc.collect()
        gc.disable()
        samples = _timed_window(session, order, job.timing)
        gc.enable()
    encode, infer, decode, end_to_end, answers = samples
    emit(
        Timed(
            encode=tuple(encode),
            infer=tuple(infer),
            decode=tuple(decode),
            end_to_end=tuple(end_to_end),
            answers=tuple((order[i % len(order)].id, a) for i, a in enumerate(answers)),
            warm_up_calls=calls,
            warm_up_seconds=seconds,
            settled=settled,
        )
    )


def warm_up(session: Session, order: Sequence[Item], timing: Timing) -> tuple[int, float, bool]:
    """Call until the times have settled (stats.settled), or the time is up."""
    taken: list[int] = []
    looked = start = time.perf_counter_ns()
    while True:
        began = time.perf_counter_ns()
        session.decode(session.infer(session.encode(order[len(taken) % len(order)].text)))
        now = time.perf_counter_ns()
        taken.append(now - began)
        if now - looked < WARM_UP_LOOK_NS:
            continue
        looked = now
        seconds = (now - start) / 1e9
        enough = len(taken) >= timing.warm_up_min_calls and seconds >= timing.warm_up_min_seconds
        if enough and stats.settled(taken):
            return len(taken), seconds, True
        if seconds >= timing.warm_up_max_seconds:
            return len(taken), seconds, False


def _timed_window(
    session: Session, order: Sequence[Item], timing: Timing
) -> tuple[list[int], list[int], list[int], list[int], list[str]]:
    clock = time.perf_counter_ns
    texts = [item.text for item in order]
    count = len(texts)
    encode_ns: list[int] = []
    infer_ns: list[int] = []
    decode_ns: list[int] = []
    end_to_end_ns: list[int] = []
    labels: list[str] = []
    start = clock()
    earliest = start + int(timing.min_seconds * 1e9)
    latest = start + int(timing.max_seconds * 1e9)
    calls = 0
    while True:
        text = texts[calls % count]
        t0 = clock()
        inputs = session.encode(text)
        t1 = clock()
        outputs = session.infer(inputs)
        t2 = clock()
        answer = session.decode(outputs)
        t3 = clock()
        encode_ns.append(t1 - t0)
        infer_ns.append(t2 - t1)
        decode_ns.append(t3 - t2)
        end_to_end_ns.append(t3 - t0)
        labels.append(answer.label)
        calls += 1
        enough = calls >= timing.min_calls and t3 >= earliest
        if enough or calls >= timing.max_calls or t3 >= latest:
            return encode_ns, infer_ns, decode_ns, end_to_end_ns, labels
