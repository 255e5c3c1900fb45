"""The latency pass: one item a call, one call after the other, each phase timed apart."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import ceil
from typing import Any

from steelyard.api import Session
from steelyard.card import Timing
from steelyard.job import Job, Timed
from steelyard.worker.loads import rigged
from steelyard.worker.opening import Emit, opened
from steelyard.worker.rig import coprime, quiet, warm_up


def latency(job: Job, backend: Any, emit: Emit) -> None:
    """Warm up, then time calls in a fixed shuffled order of the items."""
    part = job.parts[0]
    with opened(backend, part.spec, emit) as session:
        rig = rigged(session, job)
        warmed, call_ns = warm_up(rig.answer, job.timing, rig.clock)
        every = stride(call_ns, len(rig.order), job.timing)
        with quiet():
            start_ns = time.monotonic_ns()
            samples = _timed_window(session, rig.asked, job.timing, every)
            end_ns = time.monotonic_ns()
    encode, infer, decode, end_to_end, answers = samples
    emit(
        Timed(
            encode=tuple(encode),
            infer=tuple(infer),
            decode=tuple(decode),
            end_to_end=tuple(end_to_end),
            answers=tuple((rig.order[index].id, label) for index, label in answers),
            every=every,
            warm_up_calls=warmed.calls,
            warm_up_seconds=warmed.seconds,
            settled=warmed.settled,
            start_ns=start_ns,
            end_ns=end_ns,
        )
    )


def stride(call_ns: int, items: int, timing: Timing) -> int:
    """Return of how many calls one is kept, so that `max_calls` samples fill `min_seconds`."""
    every = ceil(timing.min_seconds * 1e9 / (max(1, call_ns) * timing.max_calls))
    return coprime(max(1, every), items)


def _timed_window(
    session: Session, asked: Sequence[Any], timing: Timing, every: int
) -> tuple[list[int], list[int], list[int], list[int], list[tuple[int, str]]]:
    clock = time.perf_counter_ns
    count = len(asked)
    encode_ns: list[int] = []
    infer_ns: list[int] = []
    decode_ns: list[int] = []
    end_to_end_ns: list[int] = []
    labels: list[tuple[int, str]] = []
    start = clock()
    earliest = start + int(timing.min_seconds * 1e9)
    latest = start + int(timing.max_seconds * 1e9)
    calls = index = 0
    while True:
        for _ in range(every - 1):
            session.decode(session.infer(session.encode(asked[index % count])))
            index += 1
        payload = asked[index % count]
        t0 = clock()
        inputs = session.encode(payload)
        t1 = clock()
        outputs = session.infer(inputs)
        t2 = clock()
        answer = session.decode(outputs)
        t3 = clock()
        encode_ns.append(t1 - t0)
        infer_ns.append(t2 - t1)
        decode_ns.append(t3 - t2)
        end_to_end_ns.append(t3 - t0)
        labels.append((index % count, answer.label))
        calls += 1
        index += 1
        enough = calls >= timing.min_calls and t3 >= earliest
        if enough or calls >= timing.max_calls or t3 >= latest:
            return encode_ns, infer_ns, decode_ns, end_to_end_ns, labels
