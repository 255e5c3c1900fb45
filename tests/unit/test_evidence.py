"""The watch, on a simulated clock; and what its readings show of a window."""

from __future__ import annotations

import threading

import msgspec
import pytest
from msgspec import structs
from tests.unit.looks import SECOND, WINDOW, changed, quiet, reading, state

from steelyard.evidence import Watch, evidence_between, worker_use
from steelyard.host.state import State
from steelyard.host.throttle import Count
from steelyard.readings import Reading, WorkerUse
from steelyard.record import Evidence

# As the kernel prints it, with a name that tries to break the parser. Field 12 is 9, 14 to 17 are
# 250 50 30 20: 3.5 s at 100 ticks.
STAT = "77 (a) R (b) S 42 77 77 0 -1 4194560 1000 500 9 4 250 50 30 20 20 0 1 0 5000 123 45"


class Simulated:
    """A clock, an event, a probe and a kernel in one: waiting moves the clock, nothing sleeps.

    The event lets `looks` waits pass at once, then tells `seen` and blocks until it is set.
    """

    def __init__(self, looks: int, *, slow_s: float = 0.0) -> None:
        self.now = 0
        self.left = looks
        self.slow_s = slow_s
        self.waited: list[float] = []
        self.seen = threading.Event()
        self.stopped = threading.Event()
        self.live: dict[int, WorkerUse] = {}
        self.reaped = 0.0
        self.thread = 0.0
        self.dies_during_look: int | None = None

    def now_ns(self) -> int:
        return self.now

    def wait(self, timeout: float) -> bool:
        if not self.left:
            self.seen.set()
            return self.stopped.wait(60)
        self.left -= 1
        self.waited.append(timeout)
        self.now += int(timeout * SECOND)
        return False

    def set(self) -> None:
        self.stopped.set()

    def state(self) -> State:
        found = state(self.now / SECOND)
        self.now += int(self.slow_s * SECOND)
        self.thread += 0.002
        if self.dies_during_look is not None:
            self.reap(self.dies_during_look)
            self.dies_during_look = None
        return found

    def reap(self, pid: int) -> None:
        self.reaped += self.live.pop(pid).cpu_s

    def own_s(self) -> float:
        return 10.0

    def reaped_s(self) -> float:
        return self.reaped

    def thread_s(self) -> float:
        return self.thread

    def use(self, pid: int) -> WorkerUse | None:
        return self.live.get(pid)


def watch(simulated: Simulated) -> Watch:
    return Watch(simulated, processes=simulated, stop=simulated, now_ns=simulated.now_ns)


def seconds(watched: Watch) -> list[float]:
    return [r.state.at_ns / SECOND for r in watched.readings]


def test_the_watch_looks_at_once_then_every_second_and_at_the_end() -> None:
    simulated = Simulated(looks=3)

    with watch(simulated) as watched:
        assert seconds(watched)[:1] == [0.0]
        simulated.seen.wait(60)
        simulated.now = 3_400_000_000

    assert seconds(watched) == [0.0, 1.0, 2.0, 3.0, 3.4]
    assert simulated.waited == [1.0, 1.0, 1.0]


def test_looks_keep_to_the_second_however_long_one_takes() -> None:
    simulated = Simulated(looks=3, slow_s=0.25)

    with watch(simulated) as watched:
        simulated.seen.wait(60)

    # The first look ended at 0.25; from there on a second apart, though each takes a quarter.
    assert seconds(watched)[:4] == [0.0, 1.25, 2.25, 3.25]
    assert simulated.waited == [1.0, 0.75, 0.75]


def test_missed_looks_are_not_made_up_for() -> None:
    simulated = Simulated(looks=2, slow_s=2.5)

    with watch(simulated) as watched:
        simulated.seen.wait(60)

    # Due at 3.5, taken until 6.0: those of 4.5 and 5.5 are missed, the next is at 6.5.
    assert seconds(watched)[:3] == [0.0, 3.5, 6.5]


def test_a_pass_that_fails_is_watched_to_its_end() -> None:
    simulated = Simulated(looks=0)
    watched = watch(simulated)

    with pytest.raises(RuntimeError), watched:
        raise RuntimeError

    assert len(watched.readings) == 2


def test_the_work_of_the_followed_worker_is_ours_while_it_lives_and_after_it_was_reaped() -> None:
    simulated = Simulated(looks=0)
    simulated.live = {7: WorkerUse(cpu_s=5.0, major_faults=3)}

    with watch(simulated) as watched:
        watched.follow(7)
        watched._read()
        simulated.dies_during_look = 7
        watched._read()

    assert [r.ours_s for r in watched.readings] == [10.0, 15.0, 15.0, 15.0]
    assert [r.worker and r.worker.major_faults for r in watched.readings] == [None, 3, None, None]


def test_a_worker_reaped_between_two_questions_is_counted_once() -> None:
    class Reaping(Simulated):
        """A kernel whose worker is reaped right after the question that would count it."""

        asked = 0

        def use(self, pid: int) -> WorkerUse | None:
            found = super().use(pid)
            self.asked += 1
            if self.asked == 2:
                self.reap(pid)
            return found

    simulated = Reaping(looks=0)
    simulated.live = {7: WorkerUse(cpu_s=5.0, major_faults=0)}

    with watch(simulated) as watched:
        watched.follow(7)
        watched._read()

    assert watched.readings[1].ours_s == 15.0


def test_a_look_costs_its_thread_and_its_commands_but_not_the_worker_that_ended_meanwhile() -> None:
    class Asking(Simulated):
        def state(self) -> State:
            self.reaped += 0.01
            return super().state()

    simulated = Asking(looks=0)
    simulated.live = {7: WorkerUse(cpu_s=5.0, major_faults=0)}

    with watch(simulated) as watched:
        watched.follow(7)
        simulated.dies_during_look = 7
        watched._read()

    costs = [round(r.cost_s, 6) for r in watched.readings]
    assert costs == [0.012, 0.002, 0.012]


def test_counted_children_are_ours_one_after_the_other_and_none_is_the_cost_of_looking() -> None:
    simulated = Simulated(looks=0)

    with watch(simulated) as watched:
        for pid in (7, 8):
            simulated.live[pid] = WorkerUse(cpu_s=5.0, major_faults=900)
            watched.count(pid)
            watched._read()
            simulated.dies_during_look = pid
            watched._read()

    assert [r.ours_s for r in watched.readings] == [10.0, 15.0, 15.0, 20.0, 20.0, 20.0]
    assert all(r.worker is None for r in watched.readings)
    assert [round(r.cost_s, 6) for r in watched.readings] == [0.002] * 6


def test_a_workers_use_is_read_past_a_name_with_brackets() -> None:
    assert worker_use(STAT, parent=42, ticks_hz=100) == WorkerUse(cpu_s=3.5, major_faults=9)


def test_a_process_that_is_not_our_child_has_taken_over_the_number() -> None:
    assert worker_use(STAT, parent=43, ticks_hz=100) is None
    assert worker_use("", parent=42, ticks_hz=100) is None


def test_the_evidence_of_a_window_has_its_figures() -> None:
    readings = [
        reading(
            second,
            faults=12 + second,
            temperature_c=50.0 + second,
            clock_hz=(600_000_000, 1_800_000_000 - second * 1_000_000),
            throttled=("throttled",) if second == 4 else (),
            throttle_counts=(Count(name="oc1", count=7 + second),),
            swap_in_pages=1000 + second * 10,
            oom_kills=1,
            busy_s=5000.0 + second * 1.5,
            stolen_s=40.0 + second * 0.05,
        )
        for second in range(10)
    ]
    readings = [structs.replace(r, cost_s=0.003) for r in readings]

    # The window is 2.5 to 7.5: the looks around it are at 2 and 8, those inside at 3 to 7.
    found = evidence_between(readings, WINDOW)

    assert structs.replace(found, foreign_load=None, stolen_load=None, watch_load=None) == Evidence(
        window="latency",
        seconds=5.0,
        readings=7,
        lowest_temperature_c=52.0,
        highest_temperature_c=58.0,
        lowest_clock_hz=1_793_000_000,
        highest_clock_hz=1_797_000_000,
        governor="performance",
        throttled=("throttled",),
        throttle_events=6,
        swapped_pages=60,
        major_faults=6,
        oom_kills=0,
        broken=(
            "throttled (throttled) at 1 of 7 readings",
            "throttle events: oc1 6",
            "6 major page faults (memory that waited for the disk), limit 3",
            "other processes used 0.50 of 2 cores, limit 0.10",
        ),
    )
    assert found.foreign_load == pytest.approx(0.5)
    assert found.stolen_load == pytest.approx(0.05)
    assert found.watch_load == pytest.approx(0.003)


def test_what_a_device_does_not_tell_is_named_and_never_zero() -> None:
    silent = dict.fromkeys(
        ["temperature_c", "clock_hz", "governors", "throttled", "throttle_counts", "stolen_s"]
    )

    found = evidence_between(quiet(**silent), WINDOW)

    assert found.untold == (
        "temperature",
        "clock",
        "governor",
        "throttling now",
        "throttle events",
        "time taken by a hypervisor",
    )
    assert found.highest_temperature_c is None
    assert found.swapped_pages == 0


def test_a_device_that_tells_all_leaves_nothing_untold() -> None:
    assert evidence_between(quiet(), WINDOW).untold == ()


def test_windows_of_one_pass_are_told_apart() -> None:
    readings = changed(6, throttled=("throttled",))
    warm_up = structs.replace(WINDOW, name="warm-up", start_ns=0, end_ns=SECOND * 5 // 2)

    assert evidence_between(readings, warm_up).broken == ()
    assert evidence_between(readings, WINDOW).broken == (
        "throttled (throttled) at 3 of 7 readings",
    )


def test_a_short_window_has_the_clock_of_the_looks_around_it_but_no_foreign_load() -> None:
    window = structs.replace(WINDOW, start_ns=SECOND * 22 // 10, end_ns=SECOND * 24 // 10)
    looks: list[Reading] = [reading(2.1), reading(2.5)]

    found = evidence_between(looks, window)

    assert (found.readings, found.highest_clock_hz) == (2, 1_800_000_000)
    assert found.untold == ("foreign load", "time taken by a hypervisor")


def test_a_window_without_readings_is_invalid_and_says_nothing_else() -> None:
    found = evidence_between([], WINDOW)

    assert found.broken == ("not watched at all",)
    assert found.readings == 0
    assert len(found.untold) == 10


def test_evidence_comes_back_from_json_as_it_went() -> None:
    found = evidence_between(changed(5, throttled=("throttled",)), WINDOW)

    assert msgspec.json.decode(msgspec.json.encode(found), type=Evidence) == found
