"""What the load shapes leave behind: raw times, one result a shape.

Nanoseconds that are many are packed (`steelyard.stats.pack`). `answers` are the different
(item, label) pairs that were seen, to be held against the accuracy pass.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, structs

Packed = str
Pairs = tuple[tuple[str, str], ...]


class LoadResult(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True,
    tag_field="shape",
):  # fmt: skip
    """What all results share: frozen, keyword-only, strictly decoded, told apart by `shape`."""


class Warmed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the timed calls were reached."""

    calls: int
    seconds: float
    settled: bool


class BatchTimes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calls of `batch` texts each: nanoseconds from texts to answers, without gaps between."""

    batch: int
    call_ns: Packed
    answers: Pairs


class OfflineResult(LoadResult, frozen=True, kw_only=True, tag="offline"):
    """Throughput: one entry a batch size, in the order of the declaration."""

    batches: tuple[BatchTimes, ...]
    warm_up: Warmed


class ArrivalTimes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of texts that came when they would, to one server, first come first served.

    `latency_ns` runs from the scheduled arrival to the answer, queueing included; `service_ns`
    from the call to the answer. Once the last arrival's deadline had passed, the rest were left
    `unserved`: none of them could have been in time. `seconds` is the span of the arrivals.
    """

    seconds: float
    deadline_ns: int
    arrivals: int
    unserved: int
    latency_ns: Packed
    service_ns: Packed
    answers: Pairs
    warm_up: Warmed


class PoissonResult(LoadResult, frozen=True, kw_only=True, tag="poisson"):
    """Arrivals at random; the same `seed` gives the same arrivals."""

    rate_hz: float
    seed: int
    times: ArrivalTimes


class SensorResult(LoadResult, frozen=True, kw_only=True, tag="sensor"):
    """Arrivals at a fixed rate, the first at once."""

    rate_hz: float
    times: ArrivalTimes


class SustainedResult(LoadResult, frozen=True, kw_only=True, tag="sustained"):
    """Minutes of one call after the other: begins (from the first call's) and durations.

    Of `calls` calls every `every`-th was kept.
    """

    start_ns: Packed
    call_ns: Packed
    calls: int
    every: int
    answers: Pairs
    warm_up: Warmed


class PageCache(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the artefact's files were in memory when the process started.

    Pages of the artefact only: the interpreter's and the libraries' stay. `resident` are the
    pages still in memory after the request (mincore), None where the system does not tell.
    """

    method: Literal["posix_fadvise", "none"]
    pages: int
    resident: int | None


class ColdStart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fresh process: nanoseconds from its start to each milestone.

    `imported`: interpreter, steelyard and the backend's libraries are loaded. `opened`: the
    artefact is. `answered`: the first answer is there. `resolution_ns` is that of the start.
    """

    imported_ns: int
    opened_ns: int
    answered_ns: int
    resolution_ns: int
    cache: PageCache | None = None


class ColdStartResult(LoadResult, frozen=True, kw_only=True, tag="cold-start"):
    """Cold starts, one a process."""

    starts: tuple[ColdStart, ...]


class Generation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One generation: when each token was there, from when the text was handed in.

    Time to first token is `token_ns[0]`, encoding included. Time per output token is
    (end - first token) / (tokens - 1). Prompt tokens a second are (`prompt_tokens` -
    `cached_tokens`) / time to first token. The end-of-turn token counts as a token.
    """

    item: str
    prompt_tokens: int
    cached_tokens: int
    token_ns: tuple[int, ...]


class GenerateResult(LoadResult, frozen=True, kw_only=True, tag="generate"):
    """Generations, one after the other. One was done before, untimed."""

    max_new_tokens: int
    generations: tuple[Generation, ...]


AnyLoadResult = (
    OfflineResult
    | PoissonResult
    | SensorResult
    | SustainedResult
    | ColdStartResult
    | GenerateResult
)


def warm_up_seconds(result: AnyLoadResult) -> float:
    """Return how long a result's warm-up took; 0 for shapes without one."""
    if isinstance(result, OfflineResult | SustainedResult):
        return result.warm_up.seconds
    return result.times.warm_up.seconds if isinstance(result, PoissonResult | SensorResult) else 0.0


def answers(result: AnyLoadResult) -> Pairs:
    """Return the different (item, label) pairs of all windows of a result."""
    if isinstance(result, OfflineResult):
        return tuple(pair for batch in result.batches for pair in batch.answers)
    if isinstance(result, PoissonResult | SensorResult):
        return result.times.answers
    return result.answers if isinstance(result, SustainedResult) else ()


def without_answers(result: AnyLoadResult) -> AnyLoadResult:
    """Return a result for a record, which has every answer in its predictions already."""
    if isinstance(result, OfflineResult):
        batches = tuple(structs.replace(batch, answers=()) for batch in result.batches)
        return structs.replace(result, batches=batches)
    if isinstance(result, PoissonResult | SensorResult):
        return structs.replace(result, times=structs.replace(result.times, answers=()))
    if isinstance(result, SustainedResult):
        return structs.replace(result, answers=())
    return result
