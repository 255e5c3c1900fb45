"""What the load shapes share, how they are declared, and the cold start."""

from __future__ import annotations

import gc

import msgspec
import pytest
from tests.unit.virtual import MS, SECOND, Slow, Virtual, items, job, rig

from steelyard.api import SessionSpec
from steelyard.card import (
    ColdStartLoad,
    GenerateLoad,
    Load,
    OfflineLoad,
    PoissonLoad,
    SensorLoad,
    SustainedLoad,
    Timing,
)
from steelyard.loads import (
    AnyLoadResult,
)
from steelyard.worker.cold import cold_start, process_began
from steelyard.worker.latency import stride
from steelyard.worker.loads import measure, rigged
from steelyard.worker.rig import distinct, quiet, shuffled, warm_up


def test_a_warm_up_ends_once_calls_have_settled() -> None:
    time = Virtual()
    session = Slow(time)
    quickening = rig(session, "400", "200", "100", "50", *["10"] * 96)
    timing = Timing(warm_up_min_calls=10, warm_up_min_seconds=0.5, warm_up_max_seconds=30)

    warmed, typical_ns = warm_up(quickening.answer, timing, time.clock())

    # Looked at every 50 ms: after 9 calls, too few, and after 14, the last ten of which are alike.
    assert (warmed.calls, warmed.settled, typical_ns) == (14, True, 10 * MS)
    assert warmed.calls == session.calls


def test_a_warm_up_that_never_settles_ends_all_the_same_and_says_so() -> None:
    time = Virtual()
    growing = rig(Slow(time), *[str(10 * (n + 1)) for n in range(100)])
    timing = Timing(warm_up_min_calls=10, warm_up_min_seconds=0.1, warm_up_max_seconds=2)

    warmed, _ = warm_up(growing.answer, timing, time.clock())

    # 10 + 20 + ... + 200 ms are 2.1 s.
    assert (warmed.calls, warmed.seconds, warmed.settled) == (20, 2.1, False)


def test_timed_calls_are_free_of_the_garbage_collector() -> None:
    with quiet():
        assert not gc.isenabled()

    assert gc.isenabled()


def test_the_order_is_that_of_the_seed_and_holds_every_item() -> None:
    given = items(*"abcdefgh")

    assert shuffled(given, 1) == shuffled(given, 1)
    assert shuffled(given, 1) != given
    assert sorted(item.id for item in shuffled(given, 1)) == [item.id for item in given]
    assert rigged(None, job(given)).order == shuffled(given, 1)


def test_an_item_answered_in_two_ways_shows_both() -> None:
    assert distinct(items("a", "b"), [(0, "x"), (1, "y"), (2, "z"), (3, "y")]) == (
        ("i0", "x"),
        ("i0", "z"),
        ("i1", "y"),
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"shape":"poisson","rate_hz":0,"deadline_s":1}',
        '{"shape":"poisson","rate_hz":5}',
        '{"shape":"poisson","rate_hz":100000,"deadline_s":1,"seconds":3600}',
        '{"shape":"sensor","rate_hz":0.1,"seconds":1}',
        '{"shape":"offline","batches":[]}',
        '{"shape":"offline","batches":[0]}',
        '{"shape":"sustained","minutes":1}',
        '{"shape":"cold-start","starts":0}',
        '{"shape":"generate","max_new_tokens":1}',
        '{"shape":"generate","tokens":10}',
        '{"shape":"single"}',
    ],
)
def test_a_load_out_of_bounds_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Load)


@pytest.mark.parametrize(
    "load",
    [
        OfflineLoad(batches=(1, 64)),
        PoissonLoad(rate_hz=2.5, deadline_s=0.2),
        SensorLoad(rate_hz=30),
        SustainedLoad(),
        ColdStartLoad(drop_cache=False),
        GenerateLoad(),
    ],
)
def test_a_load_travels_as_json(load: Load) -> None:
    assert msgspec.json.decode(msgspec.json.encode(load), type=Load) == load


def test_a_result_travels_as_json() -> None:
    result = measure(rig(Slow(Virtual()), "10"), SensorLoad(rate_hz=10, seconds=1))

    assert msgspec.json.decode(msgspec.json.encode(result), type=AnyLoadResult) == result


class Backend:
    """Takes 100 ms to import, 40 ms to open; the session takes what the text says."""

    def __init__(self, time: Virtual) -> None:
        self.time = time

    def refuse(self, spec: SessionSpec) -> str | None:
        return None

    def import_runtime(self, spec: SessionSpec) -> None:
        self.time.work(100 * MS)

    def open(self, spec: SessionSpec) -> Slow:
        self.time.work(40 * MS)
        return Slow(self.time)


def spec() -> SessionSpec:
    return SessionSpec(artifact="", session="", threads=1, labels=(), options={})


def test_a_cold_start_is_told_in_its_phases() -> None:
    time = Virtual()

    start, label = cold_start(Backend(time), spec(), "7", time.time_ns - 300 * MS, time.clock())

    assert label == "took 7"
    assert (start.imported_ns, start.opened_ns, start.answered_ns) == (
        400 * MS,
        440 * MS,
        447 * MS,
    )
    assert start.resolution_ns == 1


def test_the_begin_of_a_process_is_read_from_the_kernel() -> None:
    # Field 22: 12345 ticks of 10 ms. The name holds what would mislead a simple split.
    fields = ["S", *["0"] * 18, "12345", *["0"] * 30]
    stat = f"42 (a) b (c) {' '.join(fields)}\n"
    time = Virtual()

    began, resolution = process_began(
        stat, time.clock(), ticks_a_second=100, since_boot_ns=200 * SECOND
    )

    # It is 200 - 123.45 s old.
    assert time.time_ns - began == 76_550 * MS
    assert resolution == 10 * MS


@pytest.mark.parametrize("call_ns", [200, 1_000, 6_000, 15_000, 30_000, 1_000_000])
@pytest.mark.parametrize("items", [1, 3, 500])
def test_thinned_calls_still_meet_every_item(call_ns: int, items: int) -> None:
    timing = Timing(min_seconds=3.0, max_calls=2000)

    every = stride(call_ns, items, timing)

    assert {call * every % items for call in range(items)} == set(range(items))
    assert every * call_ns * timing.max_calls >= 3e9
