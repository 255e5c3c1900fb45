"""MLPerf's early stopping against the figures that LoadGen 6.0.17 gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as reference

from steelyard import stats
from steelyard.stats import EarlyStop, TooFew


@pytest.mark.parametrize(
    ("over", "p", "needed"),
    [(0, 0.99, 459), (0, 0.90, 44), (1, 0.99, 661), (2, 0.99, 836), (3, 0.99, 998)],
)
def test_so_many_calls_in_time_must_stand_beside_late_ones(
    over: int, p: float, needed: int
) -> None:
    assert stats.passing_needed(over, p) == needed


@pytest.mark.parametrize(("p", "needed"), [(0.9, 64), (0.99, 662), (0.999, 6636)])
def test_an_estimate_is_refused_one_call_below_what_it_needs(p: float, needed: int) -> None:
    assert stats.early_stop(range(needed - 1), p) == TooFew(p=p, n=needed - 1, needed=needed)

    kept = stats.early_stop(range(needed), p)
    assert kept == EarlyStop(p=p, value=needed - 1, discards=0, n=needed)


@pytest.mark.parametrize(
    ("n", "p", "discards"),
    [
        (745, 0.9, 54),
        (2000, 0.9, 167),
        (10_000, 0.99, 76),
        (135_443, 0.9, 13_286),
        (416_879, 0.9, 41_236),
        (935_541, 0.9, 92_878),
    ],
)
def test_as_many_calls_are_discarded_as_by_loadgen(n: int, p: float, discards: int) -> None:
    shuffled = np.random.default_rng(3).permutation(n)

    seen = stats.early_stop(shuffled, p)

    # The slowest that is left: of 0 .. n - 1, n - 1 less the discarded.
    assert seen == EarlyStop(p=p, value=n - 1 - discards, discards=discards, n=n)


@settings(deadline=None, max_examples=60)
@given(over=st.integers(0, 500), p=st.sampled_from([0.5, 0.9, 0.97, 0.99]))
def test_one_call_less_would_not_be_trusted(over: int, p: float) -> None:
    needed = stats.passing_needed(over, p)

    assert reference.binom.cdf(over, over + needed, 1 - p) < 0.01
    assert reference.binom.cdf(over, over + needed - 1, 1 - p) >= 0.01 - 1e-12


@pytest.mark.parametrize(("over", "p"), [(-1, 0.9), (0, 1.0), (0, 0.0)])
def test_what_is_no_case_is_an_error(over: int, p: float) -> None:
    with pytest.raises(ValueError, match="no such case"):
        stats.passing_needed(over, p)
