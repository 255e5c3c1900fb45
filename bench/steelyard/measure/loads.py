"""Drive the load shapes that the suite asks for: watched windows, and cold starts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from msgspec import structs

from steelyard.card import ColdStartLoad, Load, SustainedLoad
from steelyard.evidence import Watch
from steelyard.job import ColdStarted, LoadMeasured, Message
from steelyard.loads import (
    AnyLoadResult,
    ColdStart,
    ColdStartResult,
    answers,
    without_answers,
)
from steelyard.measure.work import Work, compare_answers, watched
from steelyard.spawn import PassFailed
from steelyard.validity import Limits
from steelyard.worker.cold import drop_pages, page_cache

# A sustained run is made to see heat do its work: that is its result, and no fault of the window.
SUSTAINED = Limits(clock_drop=None, temperature_rise_c=None, throttled=False)


def loads(work: Work) -> None:
    """Keep the result of each shape whose window was valid.

    A session that cannot take a shape, or files that cannot be dropped from the cache, are told in
    a warning.
    """
    met: Counter[str] = Counter()
    for load in work.planned.loads:
        shape = str(load.__struct_config__.tag)
        met[shape] += 1
        name = f"load {shape}" if met[shape] == 1 else f"load {shape} {met[shape]}"
        try:
            if isinstance(load, ColdStartLoad):
                work.found.loads.append(_cold_starts(work, load))
            else:
                work.found.loads += _driven(work, load, name)
        except OSError as error:
            work.found.warn(f"{name}: {error}")
        except PassFailed as failure:
            if failure.outcome != "refused":
                raise
            work.found.warn(f"{name}: {failure.reason.removeprefix('load pass: ')}")


def _driven(work: Work, load: Load, name: str) -> list[AnyLoadResult]:
    told: list[LoadMeasured] = []
    job = structs.replace(work.passes.job("load", [work.timed_items]), load=load)

    def attempt(watch: Watch) -> None:
        told.clear()
        work.passes.run(job, listen, watch.follow)

    def listen(message: Message) -> None:
        if isinstance(message, LoadMeasured):
            told.append(message)

    limits = SUSTAINED if isinstance(load, SustainedLoad) else None
    seen = watched(work, name, attempt, told, limits)
    for message in told:
        compare_answers(work, f"answers of {name}", answers(message.result))
    if seen.decision.action == "give_up":
        return []
    return [without_answers(message.result) for message in told]


def _cold_starts(work: Work, load: ColdStartLoad) -> ColdStartResult:
    starts: list[ColdStart] = []
    said: list[tuple[str, str]] = []
    folder = Path(work.passes.artifact.folds[0])
    job = work.passes.job("cold", [work.timed_items[:1]])
    for _ in range(load.starts):
        cache = drop_pages(folder) if load.drop_cache else page_cache(folder)
        told: list[ColdStarted] = []

        def listen(message: Message, told: list[ColdStarted] = told) -> None:
            if isinstance(message, ColdStarted):
                told.append(message)

        work.passes.run(job, listen)
        starts += [structs.replace(message.start, cache=cache) for message in told]
        said += [(message.item, message.label) for message in told]
    compare_answers(work, "first answers", said)
    return ColdStartResult(starts=tuple(starts))
