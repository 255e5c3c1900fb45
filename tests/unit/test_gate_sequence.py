"""Planned looks, the error they spend, and the variance behind them."""

from __future__ import annotations

from math import exp, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from steelyard.errors import ArmError
from steelyard.gate.auditing import Audit, CellAudit, looks_by
from steelyard.gate.nested import levels, repetitions
from steelyard.gate.sequence import (
    ALPHA,
    POWER,
    Looks,
    blocks_needed,
    detectable,
    find,
    planned,
    spaced,
)
from steelyard.gate.types import Bounds

FIVE = Bounds(tolerated=0.02, margin=0.05)
ONE_LOOK = Looks(blocks=(4,))


def test_looks_spend_all_of_the_error_and_no_more() -> None:
    shares = Looks(blocks=(10, 20, 30)).shares

    assert sum(shares) == pytest.approx(1)
    # ln(1 + (e - 1) / 3), by hand.
    assert shares[0] == pytest.approx(log(1 + (exp(1) - 1) / 3))
    assert shares == tuple(sorted(shares, reverse=True))


@pytest.mark.parametrize("blocks", [(), (1,), (10, 10), (20, 10), (5, 10, 15, 20)])
def test_looks_that_cannot_be_followed_are_refused(blocks: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="looks are"):
        Looks(blocks=blocks)


def test_one_look_is_students_interval() -> None:
    logs = [0.04, 0.06, 0.05, 0.07]  # mean 0.055, standard deviation 0.0129099

    found = find(logs, FIVE, ONE_LOOK)

    reach = float(student.ppf(1 - ALPHA, 3)) * 0.01290994 / sqrt(4)
    assert found.mean == pytest.approx(0.055)
    assert found.spread == pytest.approx(0.01290994)
    assert (found.low, found.high) == pytest.approx((0.055 - reach, 0.055 + reach), rel=1e-6)
    above = (0.055 - log(1.02)) / (0.01290994 / 2)
    assert found.p_slow == pytest.approx(float(student.sf(above, 3)), rel=1e-5)


def test_p_values_of_several_looks_are_those_of_the_best_over_its_share() -> None:
    looks = Looks(blocks=(3, 6))
    logs = [0.09, 0.10, 0.11, 0.02, 0.18, 0.10]

    alone = find(logs[:3], FIVE, Looks(blocks=(3,)))
    both = find(logs, FIVE, looks)

    # The first three agree better than all six: what was shown stays shown, at the first's share.
    assert both.p_slow == pytest.approx(alone.p_slow / looks.shares[0])


def test_before_the_first_look_nothing_is_said() -> None:
    with pytest.raises(ValueError, match="first look"):
        find([0.0], FIVE, ONE_LOOK)


def test_blocks_that_are_all_alike_have_no_doubt() -> None:
    slow, fine = find([0.1] * 4, FIVE, ONE_LOOK), find([0.0] * 4, FIVE, ONE_LOOK)

    assert (slow.p_slow, slow.p_fine) == (0.0, 1.0)
    assert (fine.p_slow, fine.p_fine) == (1.0, 0.0)
    assert slow.low == slow.high == pytest.approx(0.1)


@given(st.lists(st.floats(-0.3, 0.3), min_size=4, max_size=4))
def test_swapping_the_arms_mirrors_the_interval(logs: list[float]) -> None:
    one, other = find(logs, FIVE, ONE_LOOK), find([-x for x in logs], FIVE, ONE_LOOK)

    assert one.low == pytest.approx(-other.high)
    assert one.p_slow <= 1
    assert one.p_fine <= 1


def test_what_is_detectable_shrinks_with_the_blocks_and_is_more_than_tolerated() -> None:
    few, many = find([0.0, 0.03] * 5, FIVE, spaced(10)), find([0.0, 0.03] * 15, FIVE, spaced(30))

    assert FIVE.tolerated < detectable(many, FIVE) < detectable(few, FIVE)


@pytest.mark.parametrize("spread", [0.01, 0.03, 0.06])
def test_the_blocks_needed_find_the_margin_and_one_less_does_not(spread: float) -> None:
    needed = blocks_needed(spread, FIVE)

    assert needed is not None
    share = Looks().shares[-1]
    gap = log(1.05 / 1.02)

    def reach(n: int) -> float:
        quantiles = student.ppf(1 - ALPHA * share, n - 1) + student.ppf(POWER, n - 1)
        return float(quantiles) * spread / sqrt(n)

    assert reach(needed) <= gap
    assert needed == 6 or reach(needed - 1) > gap


def test_a_very_noisy_device_is_told_many_blocks_or_none() -> None:
    many = blocks_needed(0.3, FIVE)

    assert many is not None
    assert many > 1000
    assert blocks_needed(30.0, FIVE) is None
    assert planned(0.3, FIVE) is None


def test_a_quiet_device_is_planned_few_blocks() -> None:
    assert planned(0.005, FIVE) == Looks(blocks=(6, 10))
    assert spaced(40) == Looks() == Looks(blocks=(10, 20, 40))
    assert spaced(6) == Looks(blocks=(6,))


def test_variances_of_the_worked_example_of_libkalibera() -> None:
    # Three executions of two iterations of two values: S2 16.5, 2.6, 3.6; T2 16.5, -5.7, 2.3.
    found = levels(
        [[[9, 5], [8, 3]], [[10, 6], [7, 11]], [[1, 12], [2, 4]]],
    )

    assert [round(value, 1) for value in found.biased] == [16.5, 2.6, 3.6]
    assert [round(value, 1) for value in found.unbiased] == [16.5, -5.7, 2.3]


def test_repetitions_weigh_noise_against_cost() -> None:
    # sqrt(100 / 1 * 4 / 1) = 20 calls a process; a level without noise of its own is done once.
    assert repetitions((4.0, 1.0), (1.0, 100.0)) == (20,)
    assert repetitions((4.0, -1.0, 2.0), (1.0, 10.0, 100.0)) == (1, 1)


def test_a_variance_of_one_value_is_refused() -> None:
    with pytest.raises(ValueError, match="two of each level"):
        levels([[1.0], [2.0]])


def audit(*advised: tuple[int, ...] | None) -> Audit:
    cells = tuple(
        CellAudit(
            cell="toy/cpu-1t", trials=20, alarms=0, undecided=0, unmeasured=0, seconds=1.0,
            advised=looks,
        )
        for looks in advised
    )  # fmt: skip
    return Audit(
        schema=1, arm="tiny@int8", device="cpu-1t", machine="Testium, 2 cores", mode="blocks",
        started="2026-11-23T00:00:00+00:00", alpha=ALPHA, margin=0.05, tolerated=0.02,
        looks=(10, 20, 30), cells=cells,
    )  # fmt: skip


def test_an_audit_plans_for_its_noisiest_cell() -> None:
    found = looks_by(audit((6, 8, 12), (14, 27, 40)), "Testium, 2 cores")

    assert found == Looks(blocks=(14, 27, 40))


def test_an_audit_of_another_machine_or_of_a_hopeless_one_is_refused() -> None:
    with pytest.raises(ArmError, match="this is Otherium"):
        looks_by(audit((10,)), "Otherium, 4 cores")
    with pytest.raises(ArmError, match="too noisy"):
        looks_by(audit((10,), None), "Testium, 2 cores")
