"""Offline, sustained and generate on a virtual clock: every figure is worked out by hand."""

from __future__ import annotations

import pytest
from tests.unit.virtual import MS, SECOND, Batching, Slow, Virtual, Writing, rig

from steelyard import stats
from steelyard.card import (
    ColdStartLoad,
    GenerateLoad,
    Load,
    OfflineLoad,
    SustainedLoad,
)
from steelyard.errors import Refusal
from steelyard.loads import (
    GenerateResult,
    OfflineResult,
    SustainedResult,
)
from steelyard.worker.loads import measure
from steelyard.worker.sustained import thinning, window


def test_batches_are_swept_until_the_time_is_up() -> None:
    # A single text takes 11 ms: 10 calls pass 100 ms. Four take 14 ms: 8 calls do.
    load = OfflineLoad(batches=(1, 4), seconds=0.1, min_calls=5)

    result = measure(rig(Batching(Virtual()), "7", "8", "9"), load)

    assert isinstance(result, OfflineResult)
    one, four = result.batches
    assert (one.batch, stats.unpack(one.call_ns)) == (1, (11 * MS,) * 10)
    assert (four.batch, stats.unpack(four.call_ns)) == (4, (14 * MS,) * 8)
    assert stats.throughput(stats.unpack(four.call_ns), 4) == pytest.approx(4 / 0.014)


def test_every_batch_size_answers_every_item() -> None:
    load = OfflineLoad(batches=(1, 2, 5), seconds=0.001, min_calls=3)

    result = measure(rig(Batching(Virtual()), "7", "8", "9"), load)

    assert isinstance(result, OfflineResult)
    expected = (("i0", "took 7"), ("i1", "took 8"), ("i2", "took 9"))
    assert [times.answers for times in result.batches] == [expected] * 3


def test_batches_have_a_least_number_of_calls() -> None:
    load = OfflineLoad(batches=(2,), seconds=0.001, min_calls=7)

    result = measure(rig(Batching(Virtual()), "7"), load)

    assert isinstance(result, OfflineResult)
    assert len(stats.unpack(result.batches[0].call_ns)) == 7


@pytest.mark.parametrize(
    ("load", "said"),
    [
        (OfflineLoad(), "load 'offline': Slow answers one item at a time"),
        (GenerateLoad(), "load 'generate': Slow writes no text"),
        (ColdStartLoad(), "load 'cold-start' needs a fresh process"),
    ],
)
def test_a_shape_that_the_session_cannot_take_is_refused(load: Load, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        measure(rig(Slow(Virtual()), "1"), load)


def test_a_sustained_run_keeps_when_calls_began_and_how_long_they_took() -> None:
    result = measure(rig(Slow(Virtual()), "10000", "20000"), SustainedLoad(minutes=2))

    # 10 s and 20 s in turn: the eighth call ends at 120 s.
    assert isinstance(result, SustainedResult)
    assert (result.calls, result.every) == (8, 1)
    assert stats.unpack(result.call_ns) == (10 * SECOND, 20 * SECOND) * 4
    assert [at // SECOND for at in stats.unpack(result.start_ns)] == [
        0,
        10,
        30,
        40,
        60,
        70,
        90,
        100,
    ]


def test_of_very_short_calls_every_nth_is_kept() -> None:
    kept = window(rig(Slow(Virtual()), "1", "2"), span_ns=15 * MS, every=3)

    # 1 2 1 2 1 2 1 2 1 2 ms: the tenth call ends at 15 ms. Kept: calls 0, 3, 6, 9.
    assert kept.calls == 10
    assert list(kept.call_ns) == [1 * MS, 2 * MS, 1 * MS, 2 * MS]
    assert list(kept.start_ns) == [0, 4 * MS, 9 * MS, 13 * MS]
    assert list(kept.labels) == ["took 1", "took 2", "took 1", "took 2"]


@pytest.mark.parametrize(
    ("expected", "items_", "every"), [(10, 500, 1), (2_500_000, 500, 3), (5_000_000, 500, 7)]
)
def test_thinning_meets_every_item(expected: int, items_: int, every: int) -> None:
    assert thinning(expected, items_) == every
    assert {index * every % items_ for index in range(items_)} == set(range(items_))


def test_a_generation_keeps_the_time_of_each_token() -> None:
    result = measure(rig(Writing(Virtual()), "a", "b"), GenerateLoad(calls=3, max_new_tokens=9))

    assert isinstance(result, GenerateResult)
    assert [each.item for each in result.generations] == ["i0", "i1", "i0"]
    first = result.generations[0]
    assert first.token_ns == (50 * MS, 60 * MS, 70 * MS, 80 * MS)
    assert stats.time_per_output_token(first.token_ns) == 10 * MS
    assert stats.output_rate(first.token_ns) == 50.0
    assert stats.prompt_rate(first.prompt_tokens - first.cached_tokens, first.token_ns[0]) == 200.0


def test_generations_end_when_the_time_is_up() -> None:
    load = GenerateLoad(calls=100, max_new_tokens=2, seconds=0.1)

    result = measure(rig(Writing(Virtual()), "a"), load)

    # 60 ms each: the second ends at 120 ms.
    assert isinstance(result, GenerateResult)
    assert len(result.generations) == 2
