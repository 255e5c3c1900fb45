"""Drive the load shapes that the suite asks for: watched windows, and cold starts."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from msgspec import Struct, structs

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
from steelyard.measure import lasting
from steelyard.measure.work import Stretch, Work, compare_answers, watched
from steelyard.spawn import PassFailed
from steelyard.validity import Limits
from steelyard.worker.cold import drop_pages, page_cache

# A sustained run is made to see heat do its work: that is its result, and no fault of the window.
SUSTAINED = Limits(clock_drop=None, temperature_rise_c=None, throttled=False)
# A cold start waits for the disk: that is what it is made to show.
COLD = Limits(major_faults=None)


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
                work.found.loads += _cold_starts(work, load, name)
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

    stretch = Stretch(
        name=name,
        takes=lasting.load(load, work.planned.timing),
        limits=SUSTAINED if isinstance(load, SustainedLoad) else None,
    )
    seen = watched(work, stretch, attempt, told)
    for message in told:
        compare_answers(work, f"answers of {name}", answers(message.result))
    if seen.decision.action == "give_up":
        return []
    return [without_answers(message.result) for message in told]


class _Series(Struct, frozen=True, kw_only=True):
    """Cold starts one after the other, what each answered, and when, CLOCK_MONOTONIC."""

    starts: tuple[ColdStart, ...]
    answers: tuple[tuple[str, str], ...]
    start_ns: int
    end_ns: int


def _cold_starts(work: Work, load: ColdStartLoad, name: str) -> list[AnyLoadResult]:
    """Start process after process under one watch: alone, each is over before a second look."""
    told: list[_Series] = []

    def attempt(watch: Watch) -> None:
        told.clear()
        told.append(_series(work, load, watch))

    takes = lasting.load(load, work.planned.timing)
    seen = watched(work, Stretch(name=name, takes=takes, limits=COLD), attempt, told)
    for series in told:
        compare_answers(work, "first answers", series.answers)
    if seen.decision.action == "give_up":
        return []
    return [ColdStartResult(starts=series.starts) for series in told]


def _series(work: Work, load: ColdStartLoad, watch: Watch) -> _Series:
    starts: list[ColdStart] = []
    answers: list[tuple[str, str]] = []
    folder = Path(work.passes.artifact.folds[0])
    job = work.passes.job("cold", [work.timed_items[:1]])
    start_ns = time.monotonic_ns()
    for _ in range(load.starts):
        cache = drop_pages(folder) if load.drop_cache else page_cache(folder)
        told: list[ColdStarted] = []

        def listen(message: Message, told: list[ColdStarted] = told) -> None:
            if isinstance(message, ColdStarted):
                told.append(message)

        # Counted, not followed: of many processes no one's faults are the window's.
        work.passes.run(job, listen, watch.count)
        starts += [structs.replace(message.start, cache=cache) for message in told]
        answers += [(message.item, message.label) for message in told]
    return _Series(
        starts=tuple(starts),
        answers=tuple(answers),
        start_ns=start_ns,
        end_ns=time.monotonic_ns(),
    )
