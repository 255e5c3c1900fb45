"""Holm's adjustment against statsmodels, its definition and its own promise."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import stats


def test_holm_gives_the_values_worked_by_hand() -> None:
    # Sorted .005, .01, .03, .04 times 4, 3, 2, 1, and never falling.
    assert stats.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert stats.holm([]) == ()
    assert stats.holm([0.7, 0.9]) == (1.0, 1.0)


def test_holm_gives_what_statsmodels_gave() -> None:
    # statsmodels 0.15, multipletests(..., method="holm"), kept because its import takes seconds.
    p_values = [0.0123, 0.0004, 0.2, 0.049, 0.0123, 0.8, 0.031]

    assert stats.holm(p_values) == pytest.approx((0.0738, 0.0028, 0.4, 0.147, 0.0738, 0.8, 0.124))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_bonferroni_over_every_set_of_true_nulls(p_values: list[float]) -> None:
    # The closed test: a null falls where every set that holds it does (Marcus and others 1976).
    numbers = range(len(p_values))
    sets = [chosen for k in numbers for chosen in combinations(numbers, k + 1)]
    closed = [
        max(min(1.0, len(s) * min(p_values[i] for i in s)) for s in sets if one in s)
        for one in numbers
    ]

    assert stats.holm(p_values) == pytest.approx(closed)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_holm_refuses_what_is_no_p_value(wrong: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        stats.holm([0.5, wrong])


def test_holm_keeps_the_chance_of_any_false_rejection() -> None:
    # Three true nulls beside two that are false beyond doubt.
    drawn = np.random.default_rng(1).uniform(size=(20_000, 3))
    false = [min(stats.holm([*row, 1e-9, 1e-9])[:3]) <= 0.05 for row in drawn.tolist()]

    assert np.mean(false) <= 0.055
