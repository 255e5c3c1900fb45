"""Percentiles and their intervals: exact arithmetic, scipy's binomial, simulated coverage."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, exp
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import optimize
from scipy import stats as reference

from steelyard import stats
from steelyard.stats import Quantile, TooFew, Unserved
from steelyard.stats.percentiles import interval_ranks, rank

# A busy machine must not fail a test for being slow.
patient = settings(deadline=None, max_examples=60)

DRAWS = 2000
MODES = ((0.6, 0.0, 0.1), (0.4, 1.5, 0.2))  # weight, mean and spread of the logarithm


@pytest.mark.parametrize(("p", "needed"), [(0.5, 8), (0.9, 29), (0.99, 299), (0.999, 2995)])
def test_a_percentile_is_refused_one_sample_below_what_it_needs(p: float, needed: int) -> None:
    samples = list(range(needed))

    refused = stats.percentile(samples[1:], p)

    assert refused == TooFew(p=p, n=needed - 1, needed=needed)
    assert isinstance(stats.percentile(samples, p), Quantile)


@pytest.mark.parametrize("n", [6, 7])
def test_six_or_seven_samples_have_no_interval_near_95_percent(n: int) -> None:
    law = reference.binom(n, 0.5)
    coverages = [
        law.cdf(u - 1) - law.cdf(low - 1) for low in range(1, n) for u in range(low, n + 1)
    ]

    assert min(abs(coverage - 0.95) for coverage in coverages) > 0.0166


def test_a_refusal_says_what_is_missing() -> None:
    refused = stats.percentile([1, 2, 3], 0.999)

    assert isinstance(refused, TooFew)
    assert refused.reason == "p99.9 needs 2995 samples, there are 3"


@patient
@given(
    n=st.integers(299, 2000),
    distinct=st.integers(1, 10**9),
    seed=st.integers(0, 99),
    p=st.sampled_from([0.5, 0.9, 0.95, 0.99]),
)
def test_a_percentile_is_a_sample_within_its_interval_of_samples(
    n: int, distinct: int, seed: int, p: float
) -> None:
    samples = np.random.default_rng(seed).integers(distinct, size=n).tolist()

    seen = stats.percentile(samples, p)

    assert isinstance(seen, Quantile)
    assert seen.value == sorted(samples)[ceil(Fraction(str(p)) * n) - 1]
    assert {seen.low, seen.value, seen.high} <= set(samples)
    assert seen.low <= seen.value <= seen.high


@patient
@given(n=st.integers(1, 10**6), hundredth=st.integers(1, 99))
def test_the_rank_is_that_of_exact_arithmetic(n: int, hundredth: int) -> None:
    assert rank(hundredth / 100, n) == ceil(Fraction(hundredth, 100) * n)


def test_the_interval_of_eight_samples_is_the_one_worked_out_by_hand() -> None:
    # Ranks 2 to 8 leave out: none or one of 8 below the median, or all: (1 + 8 + 1) / 256.
    seen = stats.percentile([10, 20, 30, 40, 50, 60, 70, 80], 0.5)

    assert isinstance(seen, Quantile)
    assert (seen.value, seen.low, seen.high, seen.n) == (40, 20, 80, 8)
    assert seen.coverage == pytest.approx(1 - 10 / 256)


@patient
@given(n=st.integers(6, 10**6), p=st.sampled_from([0.01, 0.1, 0.5, 0.9, 0.99, 0.999]))
def test_the_coverage_told_is_that_of_the_binomial(n: int, p: float) -> None:
    n = max(n, stats.samples_needed(p))
    low, high, coverage = interval_ranks(n, p)

    law = reference.binom(n, p)
    assert 1 <= low <= rank(p, n) <= high <= n
    assert coverage == pytest.approx(law.cdf(high - 1) - law.cdf(low - 1), abs=1e-7)


@pytest.mark.parametrize("p", [0.5, 0.9, 0.99])
def test_the_exact_coverage_lies_near_95_percent_at_every_n_given(p: float) -> None:
    first = stats.samples_needed(p)

    off = {
        n: ranks.coverage
        for n in range(first, first + 1000)
        if not 0.935 <= (ranks := interval_ranks(n, p)).coverage <= 0.965
    }

    # Ranks are whole: 42 samples have no pair for p90 that comes nearer.
    assert off == ({42: pytest.approx(0.93411, abs=1e-5)} if p == 0.9 else {})


def lognormal(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.float64]:
    return rng.lognormal(0.0, 1.0, size)


def bimodal(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.float64]:
    (weight, mean, spread), (_, other, wider) = MODES
    first = rng.random(size) < weight
    return np.exp(
        np.where(first, mean, other) + np.where(first, spread, wider) * rng.normal(size=size)
    )


def truth(shape: str, p: float) -> float:
    if shape == "lognormal":
        return float(reference.lognorm(1.0).ppf(p))

    def missing(value: float) -> float:
        below = [w * reference.norm.cdf((value - mean) / spread) for w, mean, spread in MODES]
        return float(sum(below)) - p

    root: Any = optimize.brentq(missing, -2, 4)
    return exp(root)


@pytest.mark.parametrize("shape", ["lognormal", "bimodal"])
@pytest.mark.parametrize(
    ("p", "n"),
    [(0.5, 20), (0.5, 300), (0.9, 29), (0.9, 100), (0.9, 300), (0.99, 299), (0.99, 450)],
)
def test_intervals_of_simulated_percentiles_cover_the_truth(shape: str, p: float, n: int) -> None:
    draw = lognormal if shape == "lognormal" else bimodal
    samples = draw(np.random.default_rng(7), (DRAWS, n))
    low, high, _ = interval_ranks(n, p)
    ordered = np.partition(samples, [low - 1, high - 1], axis=1)

    true = truth(shape, p)
    covered = (ordered[:, low - 1] <= true) & (true <= ordered[:, high - 1])

    seen = stats.percentile(samples[0], p)
    assert isinstance(seen, Quantile)
    assert (seen.low, seen.high) == (ordered[0, low - 1], ordered[0, high - 1])
    assert 0.935 <= covered.mean() <= 0.965


def test_a_percentile_outside_0_and_1_is_an_error() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        stats.percentile([1] * 10, 1.0)


def test_arrivals_never_answered_count_as_slower_than_all_others() -> None:
    served = list(range(1, 401))

    seen = stats.served_percentile(served, 100, 0.5)

    assert isinstance(seen, Quantile)
    assert (seen.value, seen.n) == (250, 500)


def test_a_percentile_among_the_unanswered_is_absent_and_says_why() -> None:
    seen = stats.served_percentile(list(range(400)), 100, 0.9)

    assert seen == Unserved(p=0.9, n=500, unserved=100)
    assert isinstance(seen, Unserved)
    assert seen.reason == "p90 may lie among the 100 of 500 arrivals that were never answered"
