"""What the load shapes tell, on figures worked out by hand."""

from __future__ import annotations

import pytest

from steelyard import stats
from steelyard.stats import Drift, Goodput, TooShort

SECOND = 1_000_000_000


def test_the_last_minute_is_set_against_the_first() -> None:
    # 60 calls of 1 s, then 60 of 1.5 s: 150 s, the last minute are the calls from 90 s on.
    calls = [SECOND] * 60 + [3 * SECOND // 2] * 60
    starts = [sum(calls[:index]) for index in range(len(calls))]

    seen = stats.drift(starts, calls)

    assert seen == Drift(
        first_ns=SECOND, last_ns=1.5 * SECOND, ratio=1.5, first_calls=60, last_calls=40
    )


def test_a_run_shorter_than_both_minutes_is_refused() -> None:
    seen = stats.drift([0, 60 * SECOND], [60 * SECOND, 59 * SECOND])

    assert seen == TooShort(reason="119.0 s, two times 60 s are needed")


def test_a_minute_of_a_few_calls_is_refused() -> None:
    calls = [20 * SECOND] * 6
    seen = stats.drift([20 * SECOND * index for index in range(6)], calls)

    assert seen == TooShort(reason="3 calls at first and 3 at last, 5 are needed")


def test_no_calls_are_too_short() -> None:
    assert isinstance(stats.drift([], []), TooShort)


def test_starts_and_durations_belong_together() -> None:
    with pytest.raises(ValueError, match="2 starts of 1 calls"):
        stats.drift([0, 1], [1])


def test_goodput_counts_answers_in_time_and_never_those_not_given() -> None:
    latencies = [10, 20, 30, 40, 50, 60, 70]

    seen = stats.goodput(latencies, deadline_ns=50, seconds=2.0, unserved=13)

    # Wilson's interval of 15 in 20 at z = 1.959964.
    low, high = 0.531299, 0.888138
    assert (seen.in_time, seen.arrivals, seen.per_second, seen.missed_share) == (5, 20, 2.5, 0.75)
    assert (seen.low, seen.high) == pytest.approx((low, high), abs=1e-6)
    assert isinstance(seen, Goodput)


def test_throughput_is_items_over_the_time_of_the_calls() -> None:
    assert stats.throughput([SECOND // 2, SECOND // 4, SECOND // 4], batch=8) == 24.0


def test_time_per_output_token_leaves_the_first_token_out() -> None:
    times = [500, 600, 650, 800]

    assert stats.time_per_output_token(times) == 100.0
    assert stats.time_per_output_token([500]) is None


def test_the_rates_of_tokens() -> None:
    assert stats.output_rate([SECOND // 2, SECOND, 2 * SECOND]) == 1.5
    assert stats.prompt_rate(120, SECOND // 2) == 240.0
