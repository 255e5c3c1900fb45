"""Drive the load shapes that the suite asks for: watched windows, and cold starts."""

from __future__ import annotations

import time
from pathlib import Path

from msgspec import structs

from steelyard.card import ColdStartLoad, Load
from steelyard.job import ColdStarted, LoadMeasured, Message
from steelyard.loads import ColdStart, ColdStartResult, answers, without_answers
from steelyard.measure.work import Work, compare_answers, watched
from steelyard.spawn import OnStart, PassFailed
from steelyard.worker.cold import drop_pages, page_cache


def loads(work: Work) -> None:
    """Keep a result a shape; a session that cannot take a shape is told in a warning."""
    for load in work.planned.loads:
        try:
            if isinstance(load, ColdStartLoad):
                work.found.loads.append(_cold_starts(work, load))
            else:
                _driven(work, load)
        except PassFailed as failure:
            if failure.outcome != "refused":
                raise
            work.found.warn(f"load {_shape(load)}: {failure.reason}")


def _driven(work: Work, load: Load) -> None:
    told: list[LoadMeasured] = []
    job = structs.replace(work.passes.job("load", [work.timed_items]), load=load)

    def attempt(follow: OnStart) -> None:
        told.clear()
        work.passes.run(job, listen, follow)

    def listen(message: Message) -> None:
        if isinstance(message, LoadMeasured):
            told.append(message)

    watched(work, f"load {_shape(load)}", attempt, told)
    for message in told:
        compare_answers(work, f"answers of load {_shape(load)}", answers(message.result))
        work.found.loads.append(without_answers(message.result))


def _cold_starts(work: Work, load: ColdStartLoad) -> ColdStartResult:
    starts: list[ColdStart] = []
    folder = Path(work.passes.artifact.folds[0])
    for _ in range(load.starts):
        cache = drop_pages(folder) if load.drop_cache else page_cache(folder)

        def listen(message: Message) -> None:
            if isinstance(message, ColdStarted):
                starts.append(structs.replace(message.start, cache=cache))  # noqa: B023
                compare_answers(work, "first answers", [(message.item, message.label)])

        job = work.passes.job("cold", [work.timed_items[:1]])
        work.passes.run(structs.replace(job, began_ns=time.monotonic_ns()), listen)
    return ColdStartResult(starts=tuple(starts))


def _shape(load: Load) -> str:
    return str(load.__struct_config__.tag)
