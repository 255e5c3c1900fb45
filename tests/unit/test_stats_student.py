"""Student's quantiles and the intervals of few clusters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from steelyard import stats
from steelyard.stats.bootstrap import widening


@given(st.floats(-40, 40), st.integers(1, 200))
def test_the_tail_of_students_t_is_scipys(t: float, freedom: int) -> None:
    assert stats.student_tail(t, freedom) == pytest.approx(float(student.sf(t, freedom)), rel=1e-9)


@given(st.floats(0.51, 0.9999), st.integers(1, 200))
def test_the_quantile_of_students_t_is_scipys(probability: float, freedom: int) -> None:
    expected = float(student.ppf(probability, freedom))

    assert stats.student_quantile(freedom, 2 * probability - 1) == pytest.approx(expected, rel=1e-6)


def test_one_degree_of_freedom_is_cauchys() -> None:
    assert stats.student_quantile(1, 0.5) == pytest.approx(1.0)
    assert stats.student_quantile(2, 0.95) == pytest.approx(4.302653, abs=1e-6)


def test_no_degree_of_freedom_is_refused() -> None:
    with pytest.raises(ValueError, match="0 degrees"):
        stats.student_quantile(0)


def test_many_clusters_are_hardly_widened_and_one_tells_nothing() -> None:
    assert widening(1000) == pytest.approx(1.0, abs=0.003)
    assert widening(10) == pytest.approx(math.sqrt(10 / 9) * 2.262157 / 1.959964, rel=1e-5)
    assert widening(1) == math.inf


def share(marks: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> stats.Metric:
    return lambda counts: counts @ marks / counts.sum(axis=1)


def covered(clusters: int, seed: int, *, draw_clusters: bool) -> bool:
    """Tell whether an interval holds the true difference, 0, where clusters differ in theirs."""
    generator = np.random.default_rng(seed)
    size = 12
    tilt = np.repeat(generator.normal(0, 0.3, clusters), size)
    first = (generator.random(clusters * size) < 0.5 - tilt / 2).astype(float)
    second = (generator.random(clusters * size) < 0.5 + tilt / 2).astype(float)
    numbers = np.repeat(np.arange(clusters), size)
    drawn = stats.resample(
        share(first),
        share(second),
        numbers if draw_clusters else np.arange(clusters * size),
        draws=400,
        seed=seed,
    )
    assert drawn is not None
    return drawn.low <= 0 <= drawn.high


def test_of_ten_clusters_the_interval_covers_and_over_items_it_would_not() -> None:
    runs = 300

    right = sum(covered(10, seed, draw_clusters=True) for seed in range(runs)) / runs
    naive = sum(covered(10, seed, draw_clusters=False) for seed in range(runs)) / runs

    assert 0.91 <= right <= 0.98
    assert naive < 0.8
