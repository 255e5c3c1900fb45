"""Change points: published series, series whose answer is known by construction, noise."""

from __future__ import annotations

from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.history_series import (
    THREE_LEVELS,
    THREE_LEVELS_CHANGES,
    TIGERBEETLE,
    TIGERBEETLE_CHANGES,
)

from steelyard.history import edivisive, hampel, potts
from steelyard.history.changes import Rule, detect

FIVE = Rule(magnitude=0.05)


def asv_levels() -> list[float]:
    """Return the series of asv's test_step_detect.py, of numpy's generator with seed 1234."""
    t = np.arange(100)
    level = 0.4 * (t >= 5) + 0.9 * (t >= 10) - 0.2 * (t >= 20) + 0.2 * (t >= 50) + 1.1 * (t >= 70)
    noisy: list[float] = (level + 0.05 * np.random.RandomState(1234).rand(100)).tolist()
    return noisy


def test_the_step_fit_agrees_with_asv_on_its_easy_case() -> None:
    values = (1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0)

    assert potts.fit(values, 0.1) == (3, 6, 9)
    assert potts.fit(values, 8.0) == (9,)


def test_the_step_fit_agrees_with_asv_on_its_bigger_case() -> None:
    values = asv_levels()
    assert potts.fit(values, 0.1) == (5, 10, 20, 50, 70, 100)

    values[15] = values[16] = 2.0
    assert potts.fit(values, 0.1) == (5, 10, 15, 17, 20, 50, 70, 100)


def test_one_outlier_makes_no_step_and_two_do_as_in_asv() -> None:
    values = [1.0] * 50
    values[25] = 1000.0
    assert potts.fit(values, 3.0, shortest=2) == (50,)

    values[26] = 1000.0
    assert potts.fit(values, 3.0, shortest=2) == (25, 27, 50)


def test_equal_values_are_one_step_as_in_asv() -> None:
    assert potts.steps([1.0] * 100, finest=0.001, shortest=3) == ()


@given(st.lists(st.integers(0, 9).map(float), min_size=1, max_size=7), st.integers(0, 6))
def test_no_other_segments_cost_less(values: list[float], penalty: int) -> None:
    def cost(ends: tuple[int, ...]) -> float:
        parts = [values[a:b] for a, b in zip((0, *ends), ends, strict=False)]
        return sum(abs(v - median(p)) for p in parts for v in p) + penalty * (len(parts) - 1)

    count = len(values)
    every = [
        (*(place for place in range(1, count) if mask >> (place - 1) & 1), count)
        for mask in range(2 ** (count - 1))
    ]

    assert cost(potts.fit(values, penalty)) == pytest.approx(min(map(cost, every)))


def test_energy_distances_are_those_of_the_definition() -> None:
    values = np.array(THREE_LEVELS)

    def defined(at: int) -> float:
        left, right = values[:at], values[at:]
        n, m = len(left), len(right)
        across = np.abs(left[:, None] - right[None, :]).mean()
        within = [
            np.abs(side[:, None] - side[None, :]).sum() / (len(side) * (len(side) - 1))
            if len(side) > 1
            else 0.0
            for side in (left, right)
        ]
        return float((2 * across - sum(within)) * n * m / (n + m))

    assert edivisive.distances(values).tolist() == pytest.approx(
        [defined(at) for at in range(1, len(values))]
    )


def test_e_divisive_agrees_with_otava() -> None:
    assert edivisive.splits(THREE_LEVELS, shortest=3) == THREE_LEVELS_CHANGES


def test_the_union_agrees_with_otava_on_tigerbeetle() -> None:
    assert len(TIGERBEETLE) == 365
    assert tuple(step.index for step in detect(TIGERBEETLE, FIVE)) == TIGERBEETLE_CHANGES


def test_the_filter_takes_outliers_and_leaves_steps() -> None:
    values = [1.0, 1.1, 0.9, 1.0, 9.0, 1.1, 0.9, 1.0, 2.0, 2.1, 1.9, 2.0, 2.1]

    filtered = hampel.filtered(values)

    assert filtered[4] == 1.0
    assert filtered[:4] == (1.0, 1.1, 0.9, 1.0)
    assert min(filtered[8:]) >= 1.9
    assert max(filtered[:8]) <= 1.1


def test_a_change_is_found_where_it_is_with_its_levels() -> None:
    before, after = [1.0, 1.01, 0.99, 1.0, 1.01, 0.99], [1.2, 1.21, 1.19, 1.2, 1.21, 1.19]

    (step,) = detect([*before, *after], FIVE)

    assert (step.index, step.before, step.after) == (6, 1.0, 1.2)
    assert step.potts
    assert step.edivisive


@pytest.mark.parametrize("lasting", [1, 2])
def test_what_does_not_last_for_three_runs_is_no_change(lasting: int) -> None:
    values = [1.0, 1.01, 0.99, 1.0, 1.01, 0.99, 1.0, 1.01]

    assert detect([*values, *([2.0] * lasting)], FIVE) == ()
    assert detect([*values, *([2.0] * lasting), *values], FIVE) == ()


def test_three_runs_are_enough_for_a_large_one() -> None:
    values = [1.0, 1.01, 0.99, 1.0, 1.01, 0.99, 1.0, 1.01]

    assert [step.index for step in detect([*values, 2.0, 2.01, 1.99], FIVE)] == [8]


def test_a_smaller_shift_than_the_rule_asks_for_is_none() -> None:
    values = [*[1.0, 1.001] * 10, *[1.04, 1.041] * 10]

    assert detect(values, FIVE) == ()
    assert [step.index for step in detect(values, Rule(magnitude=0.03))] == [20]


def test_exact_values_change_where_they_change() -> None:
    assert [step.index for step in detect([100.0] * 5 + [102.0] * 4, Rule(magnitude=0.01))] == [5]
    assert detect([100.0] * 9, Rule(magnitude=0.01)) == ()


def test_differences_count_where_the_rule_says_so() -> None:
    scores = [0.9] * 6 + [0.88] * 6

    (step,) = detect(scores, Rule(magnitude=0.01, ratio=False))

    assert (step.index, step.after) == (6, 0.88)


def test_a_long_series_is_searched_to_its_end() -> None:
    draw = np.random.default_rng(8)
    values = np.exp(draw.normal(0, 0.01, 430))
    values[200:] *= 1.2
    values[415:] *= 1.2

    found = [step.index for step in detect(values.tolist(), FIVE)]

    assert found == [200, 415]


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0, 3.0]])
def test_too_few_values_have_no_change(values: list[float]) -> None:
    assert detect(values, FIVE) == ()


def test_noise_seldom_alarms_and_eight_per_cent_is_always_found() -> None:
    """Simulated as in benchmarks/history.py, which runs more: 40 runs, a step after 25."""
    draw = np.random.default_rng(20261123)
    noise = np.exp(draw.normal(0.0, 0.02, (8, 40)))
    slower = np.where(np.arange(40) >= 25, 1.08, 1.0)

    alarms = [bool(detect(row.tolist(), FIVE)) for row in noise]
    found = [
        any(abs(step.index - 25) <= 2 for step in detect((row * slower).tolist(), FIVE))
        for row in noise
    ]

    assert sum(alarms) <= 1
    assert all(found)
