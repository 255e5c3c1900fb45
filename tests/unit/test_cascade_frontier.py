"""Thresholds and mixtures by hand and by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard.cascade import frontier
from steelyard.cascade.frontier import Sides
from steelyard.cascade.mixture import Budget, Expense, percentile, tail
from steelyard.cascade.types import Point, Wanted
from steelyard.energy import Absent

NOT = Absent(reason="not measured")
BUDGET = Budget(
    latency=Expense(specialist=10.0, generalist=1000.0),
    tail=NOT,
    energy=NOT,
    cost=Expense(specialist=1.0, generalist=9.0),
    currency="EUR",
)
# From the least sure to the surest: the specialist is wrong where it is unsure, the generalist
# once where the specialist is right.
SIDES = Sides(
    confidences=np.array([0.5, 0.6, 0.7, 0.9]),
    specialist_right=np.array([False, False, True, True]),
    generalist_right=np.array([True, False, False, True]),
)


def points() -> tuple[Point, ...]:
    return frontier.points(SIDES, BUDGET)


def test_each_threshold_gives_what_counting_by_hand_gives() -> None:
    found = [(p.threshold, p.escalated, p.accuracy, p.mean_latency_ns, p.cost) for p in points()]

    assert found == [
        (0.0, 0.0, 0.5, 10.0, 1.0),
        (0.55, 0.25, 0.75, 260.0, 3.25),
        (pytest.approx(0.65), 0.5, 0.75, 510.0, 5.5),
        (0.8, 0.75, 0.5, 760.0, 7.75),
        (1.0, 1.0, 0.5, 1010.0, 10.0),
    ]


def test_without_a_limit_the_highest_accuracy_wins_then_the_fewest_escalated() -> None:
    chosen = frontier.choose(points(), Wanted())

    assert chosen is not None
    assert chosen.threshold == 0.55


@pytest.mark.parametrize(
    ("wanted", "threshold"),
    [
        (Wanted(min_score=0.5), 0.0),
        (Wanted(min_score=0.6), 0.55),
        (Wanted(max_escalated=0.2), 0.0),
        (Wanted(max_latency_ns=260.0), 0.55),
        (Wanted(max_latency_ns=259.0), 0.0),
        (Wanted(max_cost=3.0), 0.0),
        (Wanted(min_score=0.6, max_cost=3.0), None),
        (Wanted(max_energy_j=1.0), None),
        (Wanted(max_latency_ns=9.0), None),
    ],
)
def test_limits_hold_and_what_is_not_known_keeps_none(
    wanted: Wanted, threshold: float | None
) -> None:
    chosen = frontier.choose(points(), wanted)

    assert (chosen.threshold if chosen else None) == threshold


def test_what_comes_nearest_is_the_most_accurate_within_the_limits() -> None:
    assert frontier.nearest(points(), Wanted(min_score=0.9)).threshold == 0.55
    assert frontier.nearest(points(), Wanted(min_score=0.9, max_cost=3.0)).threshold == 0.0
    assert frontier.nearest(points(), Wanted(max_latency_ns=1.0)).threshold == 0.0


def test_the_frontier_keeps_what_nothing_cheaper_equals() -> None:
    assert [p.threshold for p in frontier.pareto(points())] == [0.0, 0.55]


def test_items_with_the_same_confidence_go_together() -> None:
    assert frontier.thresholds(np.array([0.5, 0.5, 0.7])) == pytest.approx((0.0, 0.6, 1.0))


def test_the_mean_carries_both_uncertainties() -> None:
    both = Expense(specialist=2.0, generalist=10.0, u_specialist=0.5, u_generalist=1.0)

    assert both.mixed(0.3) == pytest.approx(5.0)
    assert both.uncertainty(0.3) == pytest.approx(0.8)


@pytest.mark.parametrize("escalated", [0.03, 0.2, 1.0])
def test_the_percentile_of_a_mixture_is_that_of_a_simulated_one(escalated: float) -> None:
    random = np.random.default_rng(0)
    small, large = random.gamma(4, 1.0, 5000), random.gamma(9, 100.0, 5000)
    goes_on = random.uniform(size=400_000) < escalated
    drawn = random.choice(small, 400_000) + goes_on * (random.choice(large, 400_000) + 50)

    found = percentile(tail(small, large, 50.0), escalated)

    assert found == pytest.approx(float(np.quantile(drawn, 0.99)), rel=0.02)


def test_where_none_goes_on_the_percentile_is_the_specialists_own() -> None:
    small = np.arange(1.0, 1001.0)

    assert percentile(tail(small, np.array([5000.0] * 50)), 0.0) == 990.0


def test_a_percentile_names_whose_samples_are_missing() -> None:
    few = tail(np.arange(1.0, 1001.0), np.arange(1.0, 31.0) * 1e4)

    # One call in ten goes on: 99 of 100 is 9 of 10 of those, which takes 29 samples one-sided.
    assert isinstance(percentile(few, 0.1), float)
    lacking = percentile(few, 0.5)
    assert isinstance(lacking, Absent)
    assert "p98 of the generalist" in lacking.reason
    assert "there are 30" in lacking.reason
    few_small = percentile(tail(np.arange(1.0, 101.0), np.arange(1.0, 31.0)), 0.0)
    assert isinstance(few_small, Absent)
    assert "p99 of the specialist, which needs 299 samples" in few_small.reason


def test_a_percentile_on_the_border_is_not_told() -> None:
    found = percentile(tail(np.arange(1.0, 1001.0), np.arange(1.0, 1001.0)), 0.01)

    assert isinstance(found, Absent)
    assert "border" in found.reason
