from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from steelyard import stats
from steelyard.claims.ratios import product, score_ratio, times
from steelyard.claims.weighing import Interval
from steelyard.verdict.types import Comparison


def score(both: int, only_large: int, only_small: int, n: int) -> Comparison:
    difference = stats.paired_difference(only_large, only_small, n)
    return Comparison(
        quantity="score",
        status="undecided",
        unit="accuracy",
        small=(both + only_small) / n,
        large=(both + only_large) / n,
        estimate=difference.estimate,
        low=difference.low,
        high=difference.high,
        n=n,
    )


def test_a_ratio_of_scores_has_the_interval_of_a_ratio_of_paired_proportions() -> None:
    found = score_ratio(score(600, 100, 200, 1000), proportion=True)

    # Var of the logarithm: (b + c) / ((a + b)(a + c)); Agresti-Min's half pairs move it a little.
    half = 1.959964 * sqrt(300 / (700 * 800))
    assert found is not None
    assert found.estimate == pytest.approx(8 / 7)
    assert log(found.low) == pytest.approx(log(8 / 7) - half, abs=2e-3)
    assert log(found.high) == pytest.approx(log(8 / 7) + half, abs=2e-3)


def test_the_interval_of_a_ratio_of_scores_covers_the_true_one() -> None:
    generator = np.random.default_rng(7)
    truth = np.array([0.5, 0.1, 0.25, 0.15])
    ratio = (truth[0] + truth[2]) / (truth[0] + truth[1])
    inside = 0
    draws = 1000
    for both, only_large, only_small, _ in generator.multinomial(200, truth, draws):
        found = score_ratio(
            score(int(both), int(only_large), int(only_small), 200), proportion=True
        )
        assert found is not None
        inside += found.low <= ratio <= found.high

    # 95 % within three standard errors of a thousand draws.
    assert 0.929 <= inside / draws <= 0.975


@given(st.integers(1, 80), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_a_ratio_of_scores_turned_round_is_its_inverse(
    both: int, only_large: int, only_small: int, neither: int
) -> None:
    n = both + only_large + only_small + neither
    there = score_ratio(score(both, only_large, only_small, n), proportion=True)
    back = score_ratio(score(both, only_small, only_large, n), proportion=True)

    assert there is not None
    assert back is not None
    assert there.estimate == pytest.approx(1 / back.estimate)
    assert there.low == pytest.approx(1 / back.high, rel=1e-6)


def test_no_ratio_is_made_of_a_score_of_nothing() -> None:
    assert score_ratio(score(0, 5, 0, 10), proportion=True) is None


def test_widths_of_ratios_measured_apart_add_as_squares() -> None:
    first = Interval(estimate=10.0, low=10 * exp(-0.3), high=10 * exp(0.3))
    second = Interval(estimate=2.0, low=2 * exp(-0.4), high=2 * exp(0.4))

    both = product(first, second)

    assert both.estimate == 20
    assert log(both.high / 20) == pytest.approx(0.5)
    assert log(20 / both.low) == pytest.approx(0.5)


def test_an_exact_ratio_leaves_the_other_interval_alone() -> None:
    exact = Interval(estimate=3.0, low=3.0, high=3.0)

    both = product(exact, Interval(estimate=1.0, low=0.5, high=2.0))

    assert (both.estimate, both.low, both.high) == pytest.approx((3.0, 1.5, 6.0))


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(12.3, 12.3, "12.3 times"), (0.5, 54321.0, "12.3 times [0.5 to 54,321]")],
)
def test_figures_are_said_without_exponents(low: float, high: float, said: str) -> None:
    assert times(Interval(estimate=12.3, low=low, high=high)) == said


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1), st.floats(1, 1e3))
def test_a_product_contains_its_estimate(estimate: float, below: float, above: float) -> None:
    assume(estimate * below > 0)
    one = Interval(estimate=estimate, low=estimate * below, high=estimate * above)

    both = product(one, one)

    assert both.low <= both.estimate <= both.high
