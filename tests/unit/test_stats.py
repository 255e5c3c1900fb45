"""Proportions, pairs and the warm-up, against published vectors, scipy and their own promises."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as reference

from steelyard import stats

# A busy machine must not fail a test for being slow.
patient = settings(deadline=None, max_examples=60)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.25529, 0.36621), (15, 148, 0.06239, 0.16049), (0, 20, 0.0, 0.16113)],
)
def test_wilson_gives_the_known_intervals(successes: int, n: int, low: float, high: float) -> None:
    assert stats.wilson(successes, n) == pytest.approx((low, high), abs=5e-6)


@patient
@given(n=st.integers(1, 5000), data=st.data(), confidence=st.floats(0.5, 0.999))
def test_wilson_agrees_with_scipy(n: int, data: st.DataObject, confidence: float) -> None:
    successes = data.draw(st.integers(0, n))
    expected = reference.binomtest(successes, n).proportion_ci(confidence, method="wilson")

    low, high = stats.wilson(successes, n, confidence)

    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert 0 <= low <= successes / n <= high <= 1


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_what_is_no_proportion(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        stats.wilson(successes, n)


@patient
@given(n=st.integers(1, 10**6), p=st.floats(0.001, 0.999), data=st.data())
def test_the_binomial_agrees_with_scipy(n: int, p: float, data: st.DataObject) -> None:
    spread = 6 * (n * p * (1 - p)) ** 0.5 + 3
    k = data.draw(st.integers(max(0, int(n * p - spread)), min(n, int(n * p + spread))))

    assert stats.binomial_pmf(k, n, p) == pytest.approx(reference.binom.pmf(k, n, p), rel=1e-7)
    assert stats.binomial_cdf(k, n, p) == pytest.approx(
        reference.binom.cdf(k, n, p), rel=1e-7, abs=1e-15
    )


def test_the_binomial_knows_its_ends() -> None:
    assert stats.binomial_cdf(-1, 5, 0.5) == 0
    assert stats.binomial_cdf(5, 5, 0.5) == 1
    assert stats.binomial_pmf(6, 5, 0.5) == 0
    assert stats.binomial_pmf(5, 5, 1.0) == 1
    assert stats.binomial_pmf(1, 5, 0.0) == 0


def test_mcnemar_gives_the_known_value() -> None:
    assert stats.mcnemar_exact(5, 15) == pytest.approx(0.0413895, abs=5e-8)
    assert stats.mcnemar_exact(0, 0) == 1


@patient
@given(b=st.integers(0, 2000), c=st.integers(0, 2000))
def test_mcnemar_is_scipys_binomial_test(b: int, c: int) -> None:
    expected = reference.binomtest(b, b + c).pvalue if b + c else 1.0

    assert stats.mcnemar_exact(b, c) == pytest.approx(expected, rel=1e-6)


def test_a_paired_difference_follows_agresti_and_min() -> None:
    difference = stats.paired_difference(5, 15, 100)

    # d = 10/102, se = sqrt(21 - 100/102) / 102
    assert difference.estimate == 0.1
    assert difference.low == pytest.approx(10 / 102 - 1.959964 * 0.0438663, abs=1e-6)
    assert difference.high == pytest.approx(10 / 102 + 1.959964 * 0.0438663, abs=1e-6)


@patient
@given(n=st.integers(1, 10_000), data=st.data())
def test_a_paired_difference_lies_within_its_interval(n: int, data: st.DataObject) -> None:
    b = data.draw(st.integers(0, n))
    c = data.draw(st.integers(0, n - b))

    difference = stats.paired_difference(b, c, n)
    swapped = stats.paired_difference(c, b, n)

    assert -1 <= difference.low <= difference.estimate <= difference.high <= 1
    assert (swapped.low, swapped.high) == pytest.approx((-difference.high, -difference.low))


def test_intervals_of_simulated_paired_differences_cover_the_truth() -> None:
    counts = np.random.default_rng(11).multinomial(150, [0.05, 0.12, 0.83], size=1000)

    seen = [stats.paired_difference(int(b), int(c), 150) for b, c, _ in counts]

    assert 0.93 <= sum(d.low <= 0.07 <= d.high for d in seen) / len(seen) <= 0.98


@pytest.mark.parametrize(("b", "c", "n"), [(1, 1, 1), (-1, 0, 5), (0, 0, 0)])
def test_pairs_that_cannot_be_are_an_error(b: int, c: int, n: int) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        stats.paired_difference(b, c, n)


def test_a_percentile_interval_leaves_the_same_share_on_both_sides() -> None:
    draws = np.arange(1001, dtype=np.float64)

    assert stats.percentile_interval(draws) == pytest.approx((25, 975))
    assert stats.percentile_interval(draws, 0.5) == pytest.approx((250, 750))


@pytest.mark.parametrize("draws", [[], [1.0, float("nan")]])
def test_a_percentile_interval_needs_finite_draws(draws: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        stats.percentile_interval(np.array(draws))


def test_steady_calls_have_settled() -> None:
    assert stats.settled([1000] * 10)
    assert stats.settled([5000, 3000, 1200] + [1000, 1010] * 20)


def test_a_stall_does_not_unsettle() -> None:
    assert stats.settled([1000] * 15 + [90_000] + [1000] * 4)


def test_too_few_calls_have_not_settled() -> None:
    assert not stats.settled([1000] * 9)


def test_calls_that_still_quicken_or_slow_down_have_not_settled() -> None:
    quickening = [int(1000 * (1 + exp(-i / 40))) for i in range(60)]

    assert not stats.settled(quickening)
    assert not stats.settled(list(range(1000, 2000, 20)))
    assert not stats.settled([1000] * 30 + [1100] * 10)


def test_a_million_calls_are_judged_by_a_few_hundred_of_them() -> None:
    assert stats.settled(range(10**9, 10**9 + 10**6))
