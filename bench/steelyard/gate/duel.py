"""The fast mode's child: both arms open in one process, their calls interleaved.

Run as `python -m steelyard.gate.duel`: the usual worker, whose latency pass takes two parts.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from typing import Any

from steelyard.api import Session
from steelyard.job import Job, Timed
from steelyard.worker import __main__ as child
from steelyard.worker.clock import Clock
from steelyard.worker.loads import rigged
from steelyard.worker.opening import Emit, opened
from steelyard.worker.rig import Rig, quiet, warm_up

PAIRS = 500


def duel(job: Job, backend: Any, emit: Emit) -> None:
    """Open both parts in the order given, warm both up, then time pairs of calls in ABBA order.

    Tells a window for each part, in their order; each pair of calls is of one item.
    """
    with ExitStack() as both:
        sessions = [
            both.enter_context(opened(backend, part.spec, emit if not index else None))
            for index, part in enumerate(job.parts)
        ]
        rig = rigged(sessions[0], job)
        warmed, _ = warm_up(lambda index: _each(sessions, rig, index), job.timing, Clock())
        with quiet():
            start_ns = time.monotonic_ns()
            taken, labels = _pairs(sessions, rig, start_ns + int(job.timing.max_seconds * 1e9))
            end_ns = time.monotonic_ns()
    for part, calls in enumerate(taken):
        emit(
            Timed(
                encode=(),
                infer=(),
                decode=(),
                end_to_end=tuple(calls),
                answers=tuple(labels[part]),
                warm_up_calls=warmed.calls,
                warm_up_seconds=warmed.seconds,
                settled=warmed.settled,
                every=1,
                start_ns=start_ns,
                end_ns=end_ns,
            )
        )


def _pairs(
    sessions: list[Session], rig: Rig, latest_ns: int
) -> tuple[list[list[int]], list[list[tuple[str, str]]]]:
    taken: list[list[int]] = [[], []]
    labels: list[list[tuple[str, str]]] = [[], []]
    for index in range(PAIRS):
        place = index % len(rig.order)
        for part in (0, 1) if index % 2 == 0 else (1, 0):
            spent, label = _timed(sessions[part], rig.asked[place])
            taken[part].append(spent)
            labels[part].append((rig.order[place].id, label))
        if time.monotonic_ns() >= latest_ns:
            break
    return taken, labels


def _timed(session: Session, payload: Any) -> tuple[int, str]:
    start = time.perf_counter_ns()
    answer = session.decode(session.infer(session.encode(payload)))
    return time.perf_counter_ns() - start, answer.label


def _each(sessions: list[Session], rig: Rig, index: int) -> None:
    payload = rig.asked[index % len(rig.asked)]
    for session in sessions:
        session.decode(session.infer(session.encode(payload)))


if __name__ == "__main__":
    child.PASSES["latency"] = duel
    sys.exit(child.main())
