"""Ratios of two figures: ends worked by hand, coverage by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard import stats
from steelyard.stats import Figure


def test_a_ratio_spans_the_extremes_of_both_intervals() -> None:
    large, small = Figure(value=100, low=90, high=120), Figure(value=4, low=3, high=5)

    assert stats.ratio(large, small) == stats.Ratio(25, 18, 40)


def test_exact_figures_give_an_exact_ratio() -> None:
    assert stats.ratio(stats.exact(6), stats.exact(3)) == stats.Ratio(2, 2, 2)


def test_a_figure_that_may_be_nothing_leaves_the_ratio_without_an_upper_end() -> None:
    vague = Figure(value=1, low=-0.5, high=2.5)

    assert stats.ratio(stats.exact(10), vague) == stats.Ratio(10, 4, None)
    assert stats.ratio(vague, stats.exact(10)) == stats.Ratio(0.1, 0, 0.25)


@pytest.mark.parametrize("nothing", [0.0, -1.0])
def test_a_ratio_of_nothing_is_absent(nothing: float) -> None:
    assert stats.ratio(stats.exact(nothing), stats.exact(1)) is None
    assert stats.ratio(stats.exact(1), stats.exact(nothing)) is None


@pytest.mark.parametrize(("many", "few"), [(200, 200), (400, 12), (40, 10)])
def test_the_interval_of_a_ratio_of_medians_covers_it(many: int, few: int) -> None:
    generator = np.random.default_rng(2)
    covered = []
    for _ in range(600):
        fast = stats.percentile(generator.lognormal(0.0, 0.4, many), 0.5)
        slow = stats.percentile(generator.lognormal(2.0, 0.4, few), 0.5)
        assert isinstance(fast, stats.Quantile)
        assert isinstance(slow, stats.Quantile)
        found = stats.ratio(
            Figure(value=slow.value, low=slow.low, high=slow.high),
            Figure(value=fast.value, low=fast.low, high=fast.high),
        )
        assert found is not None
        assert found.high is not None
        covered.append(found.low <= np.exp(2) <= found.high)

    assert np.mean(covered) >= 0.95
