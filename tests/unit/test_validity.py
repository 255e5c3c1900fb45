"""The rules: what makes a window invalid, with its figures, and what does not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs
from tests.unit.looks import SECOND, WINDOW, changed, quiet, reading

from steelyard.host.throttle import Count
from steelyard.readings import Reading, Window
from steelyard.validity import Attempt, Decision, Limits, Retries, broken_rules, decide

# Second 5 is in the window's middle, 2 and 8 are the looks around it, 1 and 9 are beyond.
INSIDE, BEFORE, AFTER, EARLIER, LATER = 5, 2, 8, 1, 9


def broken(readings: list[Reading], **limits: Any) -> tuple[str, ...]:
    return broken_rules(readings, WINDOW, Limits(**limits))


def once(second: int, **changes: Any) -> list[Reading]:
    """Return ten looks, of which one is changed."""
    looks = quiet()
    looks[second] = reading(second, **changes)
    return looks


def test_a_quiet_window_breaks_no_rule() -> None:
    assert broken(quiet()) == ()


def test_a_machine_that_tells_nothing_breaks_no_rule() -> None:
    silent = dict.fromkeys(
        [
            *("temperature_c", "clock_hz", "governors", "throttled", "throttle_counts"),
            *("swap_in_pages", "swap_out_pages", "major_faults", "oom_kills"),
            *("busy_s", "stolen_s"),
        ]
    )

    assert broken([structs.replace(r, worker=None) for r in quiet(**silent)]) == ()


@pytest.mark.parametrize("second", [BEFORE, INSIDE, AFTER])
def test_an_injected_throttle_makes_the_window_invalid(second: int) -> None:
    said = broken(once(second, throttled=("under-voltage", "frequency capped")))

    assert said == ("throttled (frequency capped, under-voltage) at 1 of 7 readings",)


@pytest.mark.parametrize("second", [EARLIER, LATER])
def test_a_throttle_beyond_the_looks_around_the_window_is_not_its_own(second: int) -> None:
    assert broken(once(second, throttled=("throttled",))) == ()


def test_a_throttle_counter_that_rose_makes_the_window_invalid() -> None:
    counts = (Count(name="oc1", count=7), Count(name="oc2", count=5))

    assert broken(changed(INSIDE, throttle_counts=counts)) == ("throttle events: oc2 3",)


def test_a_throttle_counter_that_rose_before_the_window_does_not_count() -> None:
    assert broken(changed(EARLIER, throttle_counts=(Count(name="oc1", count=9),))) == ()


def test_a_clock_that_fell_under_the_governor_performance_is_no_fixed_clock() -> None:
    looks = once(INSIDE, clock_hz=(600_000_000, 1_500_000_000))

    assert broken(looks) == ("the clock fell by 17%, from 1.80 to 1.50 GHz, limit 10%",)


def test_a_clock_that_fell_by_less_than_the_limit_or_only_rose_is_no_fault() -> None:
    assert broken(once(INSIDE, clock_hz=(1_620_000_000,))) == ()
    assert broken(changed(INSIDE, clock_hz=(2_400_000_000,))) == ()


def test_a_clock_that_fell_where_the_worker_may_be_idle_is_no_fault() -> None:
    assert broken(once(BEFORE, clock_hz=(600_000_000,))) == ()
    assert broken(once(AFTER, clock_hz=(600_000_000,))) == ()


def test_a_governor_that_follows_the_load_may_lower_the_clock() -> None:
    looks = quiet(governors=("schedutil",))
    looks[INSIDE] = reading(INSIDE, governors=("schedutil",), clock_hz=(600_000_000,))

    assert broken(looks) == ()
    assert broken(looks, clock_is_fixed=True) == (
        "the clock fell by 67%, from 1.80 to 0.60 GHz, limit 10%",
    )


def test_a_governor_that_changed_makes_the_window_invalid() -> None:
    looks = changed(INSIDE, governors=("performance", "powersave"))

    assert broken(looks) == ("the governor changed: performance, then performance+powersave",)


def test_a_rise_in_temperature_beyond_the_limit_makes_the_window_invalid() -> None:
    assert broken(once(INSIDE, temperature_c=70.0)) == ()
    assert broken(once(INSIDE, temperature_c=70.5)) == (
        "warmed by 20.5 degrees, from 50.0 to 70.5, limit 20",
    )
    assert broken(once(INSIDE, temperature_c=20.0)) == ()


def test_a_swap_storm_makes_the_window_invalid() -> None:
    looks = changed(INSIDE, swap_in_pages=1000 + 3000, swap_out_pages=2000 + 2120)

    assert broken(looks) == ("5120 pages swapped, limit 256",)


def test_a_trickle_of_swap_is_no_storm() -> None:
    looks = changed(INSIDE, swap_in_pages=1000 + 200, swap_out_pages=2000 + 56)

    assert broken(looks) == ()


def test_major_faults_of_the_worker_in_the_window_make_it_invalid() -> None:
    assert broken(changed(INSIDE, faults=12 + 3)) == ()
    assert broken(changed(INSIDE, faults=12 + 4)) == (
        "4 major page faults (memory that waited for the disk), limit 3",
    )


def test_major_faults_of_other_processes_are_theirs() -> None:
    assert broken(changed(INSIDE, major_faults=900)) == ()


def test_major_faults_of_the_whole_machine_count_where_no_worker_was_followed() -> None:
    looks = [structs.replace(r, worker=None) for r in changed(INSIDE, major_faults=900)]

    assert broken(looks) == ("600 major page faults (memory that waited for the disk), limit 3",)


def test_a_kill_for_memory_makes_the_window_invalid() -> None:
    assert broken(changed(INSIDE, oom_kills=3)) == ("the kernel killed 2 for memory",)


def competing(cores: float) -> list[Reading]:
    """Return ten looks at a machine where others keep `cores` busy."""
    return [reading(second, busy_s=5000.0 + second * (1 + cores)) for second in range(10)]


def test_a_competing_process_makes_the_window_invalid() -> None:
    assert broken(competing(1.0)) == ("other processes used 1.00 of 2 cores, limit 0.10",)
    assert broken(competing(0.09)) == ()


def test_one_busy_process_competes_on_a_machine_of_many_cores_too() -> None:
    many = structs.replace(WINDOW, cores=64)

    assert broken_rules(competing(1.0), many) == (
        "other processes used 1.00 of 64 cores, limit 0.50",
    )
    assert broken_rules(competing(0.4), many) == ()


def test_what_the_worker_itself_uses_is_not_foreign() -> None:
    looks = [
        structs.replace(reading(second, busy_s=5000.0 + second * 2), ours_s=100.0 + second * 2)
        for second in range(10)
    ]

    assert broken(looks) == ()


def test_a_window_too_short_for_the_kernels_ticks_says_nothing_of_foreign_load() -> None:
    looks = [reading(second, busy_s=5000.0 + second * 3) for second in (2.0, 2.9)]
    window = Window(name="w", start_ns=SECOND * 21 // 10, end_ns=SECOND * 28 // 10, cores=2)

    assert broken_rules(looks, window) == ()


def test_time_that_a_hypervisor_took_makes_the_window_invalid() -> None:
    looks = [reading(second, stolen_s=40.0 + second * 0.25) for second in range(10)]

    assert broken(looks) == ("the hypervisor took 0.25 of 2 cores, limit 0.10",)


def test_a_window_that_was_not_watched_is_invalid() -> None:
    assert broken([]) == ("not watched at all",)
    assert broken(quiet()[:4], unwatched_s=4.0) == ("not watched for 4.5 s, limit 4 s",)
    assert broken(quiet()[7:], unwatched_s=4.0) == ("not watched for 4.5 s, limit 4 s",)
    assert broken([quiet()[2], quiet()[8]]) == ("not watched for 6.0 s, limit 5 s",)


def test_limits_that_are_none_switch_their_rules_off() -> None:
    off = dict.fromkeys(
        [
            *("clock_drop", "temperature_rise_c", "swapped_pages", "major_faults"),
            *("foreign_share", "stolen_share"),
        ]
    )
    looks = changed(
        INSIDE, faults=99, temperature_c=90.0, swap_in_pages=9999, busy_s=9000.0, stolen_s=900.0
    )
    looks[INSIDE + 1] = reading(INSIDE + 1, clock_hz=(600_000_000,), faults=99)

    assert len(broken(looks)) == 6
    assert broken(looks, **off) == ()


def test_several_broken_rules_are_all_said() -> None:
    looks = changed(INSIDE, faults=20, oom_kills=2, throttled=("throttled",))

    assert broken(looks) == (
        "throttled (throttled) at 4 of 7 readings",
        "8 major page faults (memory that waited for the disk), limit 3",
        "the kernel killed 1 for memory",
    )


def attempts(*broken_each: tuple[str, ...], seconds: float = 10.0) -> list[Attempt]:
    return [Attempt(seconds=seconds, broken=rules) for rules in broken_each]


def test_a_valid_window_is_kept() -> None:
    assert decide(attempts(())) == Decision(action="keep")
    assert decide(attempts(("hot",), ())) == Decision(action="keep")


def test_an_invalid_window_is_tried_again() -> None:
    assert decide(attempts(("hot",))) == Decision(action="again")
    assert decide(attempts(("hot",), ("busy",))) == Decision(action="again")


def test_after_three_tries_the_cell_is_given_up_with_the_reasons_of_the_last() -> None:
    decision = decide(attempts(("hot",), ("busy", "hot"), ("busy",)))

    assert decision == Decision(action="give_up", reason="3 tries, none valid; the last: busy")


def test_no_try_is_begun_that_would_take_too_long() -> None:
    retries = Retries(tries=3, budget_s=100.0)

    assert decide(attempts(("hot",), seconds=50.0), retries).action == "again"
    assert decide(attempts(("hot",), seconds=51.0), retries) == Decision(
        action="give_up",
        reason="1 try, none valid, and one more would take longer than 100 s in all; the last: hot",
    )


def test_nothing_is_decided_before_the_first_attempt() -> None:
    with pytest.raises(ValueError, match="nothing was attempted"):
        decide([])
