from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.costing import generalist, prices, put, workload

from steelyard import cost
from steelyard.cost import BreakEven, Curve, Demand, Prices, Total, Versus
from steelyard.energy import Absent

YEAR_DAYS = 365.25
DECLARED = prices()
volumes = st.floats(min_value=0.01, max_value=1e6)
seconds = st.floats(min_value=1e-6, max_value=100)


def total(work: cost.Workload, where: str, demand: Demand, declared: Prices = DECLARED) -> float:
    found = cost.total(put(work, where, declared), declared, demand)
    assert isinstance(found, Total)
    return found.amount


def crossing(small: cost.Deployed, large: cost.Deployed, declared: Prices) -> BreakEven:
    found = cost.break_even(small, large, declared, 12)
    assert isinstance(found, BreakEven)
    return found


def test_a_small_model_breaks_even_where_the_lines_cross() -> None:
    found = crossing(put(workload(), "box", DECLARED), put(generalist(), "api", DECLARED), DECLARED)

    # Beforehand 1266.31152 against 800; a daily call of the year 0.0001461 against 0.15377025.
    assert found.calls_a_day == pytest.approx(466.31152 / (0.15377025 - 0.0001461))
    assert found.for_good == found.calls_a_day
    assert found.text == "costs less in total from 3,036 calls a day on"


def test_what_costs_less_from_the_start_breaks_even_at_once() -> None:
    found = crossing(
        put(generalist(), "api", DECLARED), put(workload(), "rented", DECLARED), DECLARED
    )

    assert found.calls_a_day == 0
    assert found.for_good is None
    assert "from the first call on, but not at every volume above" in found.text


def test_what_never_costs_less_says_so_and_how_far_was_searched() -> None:
    found = crossing(
        put(workload(labelled=10_000), "rented", DECLARED),
        put(generalist(seconds=0.1), "box", DECLARED),
        DECLARED,
    )

    assert found.calls_a_day is None
    assert found.for_good is None
    assert found.text == "costs more in total at every volume up to 8,640,000 calls a day"


def test_with_whole_machines_lines_cross_more_than_once() -> None:
    # The small one needs a second box at 864 calls a day, the large one pays by the call.
    found = crossing(
        put(workload(seconds=50.0, labelled=0), "box", prices(BUSY, DEAR)),
        put(generalist(), "api", prices(BUSY, DEAR)),
        prices(BUSY, DEAR),
    )

    assert found.calls_a_day is not None
    assert found.for_good is not None
    assert found.for_good > found.calls_a_day
    assert "for good from" in found.text


BUSY = ("busy_w = { value = 10", "busy_w = { value = 2")
DEAR = ("set_up_hours = { value = 10,", "set_up_hours = { value = 4,")


@settings(max_examples=40, deadline=None)
@given(
    seconds=st.floats(min_value=20, max_value=400),
    labelled=st.integers(min_value=0, max_value=2000),
    volume=st.floats(min_value=1, max_value=2e4),
)
def test_break_even_agrees_with_the_totals_at_any_volume(
    seconds: float, labelled: int, volume: float
) -> None:
    small, large = workload(seconds=seconds, labelled=labelled), generalist()
    found = crossing(put(small, "box", DECLARED), put(large, "api", DECLARED), DECLARED)
    demand = Demand(calls_a_day=volume, months=12)

    ahead = total(large, "api", demand) - total(small, "box", demand)

    if found.calls_a_day is None or volume < found.calls_a_day * (1 - 1e-9):
        assert ahead < 1e-6
    if found.for_good is not None and volume > found.for_good * (1 + 1e-9):
        assert ahead > -1e-6


@settings(max_examples=60, deadline=None)
@given(
    where=st.sampled_from(["box", "rented", "api"]),
    seconds=seconds,
    few=volumes,
    more=volumes,
    months=st.integers(min_value=1, max_value=239),
)
def test_more_calls_and_more_months_never_cost_less(
    where: str, seconds: float, few: float, more: float, months: int
) -> None:
    work = generalist(seconds=seconds)
    few, more = sorted((few, more))

    base = total(work, where, Demand(calls_a_day=few, months=months))

    allowed = base * (1 - 1e-12)
    assert total(work, where, Demand(calls_a_day=more, months=months)) >= allowed
    assert total(work, where, Demand(calls_a_day=few, months=months + 1)) >= allowed


@settings(max_examples=40, deadline=None)
@given(data=st.data(), factor=st.floats(min_value=1, max_value=10))
def test_no_higher_price_makes_a_total_lower(data: st.DataObject, factor: float) -> None:
    costs = [
        named
        for named in cost.figures(DECLARED)
        if named.path.split(".")[-1] not in {"life_years", "utilisation"}
    ]
    named = data.draw(st.sampled_from(costs))
    where = data.draw(st.sampled_from(["box", "rented", "api"]))
    dearer = cost.with_value(DECLARED, named.path, named.figure.value * factor)
    demand = Demand(calls_a_day=1000, months=12)

    # Power is what a box idles at or more: idle power above that of work counts as that of work.
    before, after = total(generalist(), where, demand), total(generalist(), where, demand, dearer)

    assert after >= before * (1 - 1e-12)


def test_one_changed_figure_changes_nothing_else() -> None:
    for named in cost.figures(DECLARED):
        dearer = cost.with_value(DECLARED, named.path, 0.25)
        before = {n.path: n.figure.value for n in cost.figures(DECLARED)}
        after = {n.path: n.figure.value for n in cost.figures(dearer)}
        assert after == {**before, named.path: 0.25}
    with pytest.raises(KeyError):
        cost.with_value(DECLARED, "deployments.nowhere.price", 1)


def test_every_figure_has_a_path_of_its_own() -> None:
    paths = [named.path for named in cost.figures(cost.load_prices())]

    assert len(paths) == len(set(paths))
    assert "deployments.own-board.busy_w" in paths
    assert "rates.EUR-USD" in paths


def versus(declared: Prices = DECLARED, volume: float = 10_000) -> Versus:
    demand = Demand(calls_a_day=volume, months=12)
    found = cost.compare(workload(), generalist(correct=0.4), declared, demand)
    assert isinstance(found, Versus)
    return found


def test_two_models_are_compared_by_what_a_correct_answer_costs() -> None:
    found = versus()

    # The large one, right half as often, is cheapest in the box: 800 + 100 + 6.31152 + 1.461.
    assert found.large.deployed.deployment.id == "box"
    assert found.ratio == pytest.approx(907.77252 / 0.4 / (1267.77252 / 0.8))
    assert found.running_ratio == pytest.approx(2)
    assert found.no_ratio is None


def test_the_figure_that_moves_the_ratio_most_comes_first() -> None:
    found = versus()

    assert [effect.path for effect in found.sensitivity] == [
        "engineering.generalist.set_up_hours",
        "labelling.minutes_a_label",
    ]
    hours, minutes = found.sensitivity
    small = 1267.77252 / 0.8
    assert hours.ratio_low == pytest.approx((907.77252 - 100) / 0.4 / small)
    assert hours.ratio_high == pytest.approx((907.77252 + 200) / 0.4 / small)
    assert (hours.assumed, minutes.assumed) == (True, False)
    # Dear labels: 240 instead of 60.
    assert minutes.ratio_high == pytest.approx(907.77252 / 0.4 / (1447.77252 / 0.8))
    assert (found.lowest, found.highest) == (minutes.ratio_high, hours.ratio_high)
    assert hours.size == pytest.approx(math.log(1107.77252 / 807.77252))
    assert minutes.break_even_low is None
    assert minutes.break_even_high is None


def test_an_uncertain_figure_says_from_where_on_it_stays_so() -> None:
    mine = prices(BUSY, DEAR)
    ours = put(workload(seconds=50.0, labelled=0), "box", mine)
    theirs = put(generalist(), "api", mine)

    found = cost.sensitivity(ours, theirs, mine, Demand(calls_a_day=10, months=12))

    assert found
    for effect in found:
        for value, first, for_good in (
            (effect.low, effect.break_even_low, effect.for_good_low),
            (effect.high, effect.break_even_high, effect.for_good_high),
        ):
            changed = cost.with_value(mine, effect.path, value)
            again = crossing(
                put(ours.workload, "box", changed), put(generalist(), "api", changed), changed
            )
            assert (first, for_good) == (again.calls_a_day, again.for_good)
    assert any(effect.break_even_low != effect.for_good_low for effect in found)


def test_a_ratio_needs_both_shares_of_correct_answers() -> None:
    demand = Demand(calls_a_day=10, months=12)
    blind = generalist(correct=None, no_correct="none of 9 answers was correct")

    found = cost.compare(workload(), blind, DECLARED, demand)

    assert isinstance(found, Versus)
    assert (found.ratio, found.lowest, found.highest, found.running_ratio) == (None,) * 4
    assert found.no_ratio == "huge@int8: none of 9 answers was correct"
    assert found.sensitivity


def test_a_model_that_can_run_nowhere_is_not_compared() -> None:
    untimed = workload(seconds=None, no_seconds="no latency was measured")

    found = cost.compare(untimed, generalist(), DECLARED, Demand(calls_a_day=1, months=1))

    assert found == Absent(reason="tiny@int8 can run in none of the places")


def test_a_curve_begins_with_what_is_paid_beforehand_and_ends_at_the_total() -> None:
    demand = Demand(calls_a_day=10_000, months=12)
    box = put(workload(), "box", DECLARED)

    found = cost.curve_by_month(box, DECLARED, demand)

    assert isinstance(found, Curve)
    assert (found.x[0], found.x[-1], len(found.x)) == (0, 12, 13)
    assert found.y[0] == pytest.approx(60 + 500 + 100)
    assert found.y[-1] == pytest.approx(1267.77252)
    assert found.label == "tiny@int8 on a box"


def test_a_curve_over_volumes_rises_by_a_machine_at_each_step() -> None:
    box = put(workload(), "box", DECLARED)

    found = cost.curve_by_volume(box, DECLARED, 12, [86_400, 86_400.001, 172_800, 172_801])

    assert isinstance(found, Curve)
    # A machine: 100 and a year of 2 W.
    assert found.y[1] - found.y[0] == pytest.approx(106.31152, abs=1e-3)
    assert found.y[3] - found.y[2] == pytest.approx(106.31152, abs=1e-3)


def test_curves_leave_out_what_cannot_run() -> None:
    demand = Demand(calls_a_day=1, months=2)
    options = [put(workload(), "box", DECLARED), put(workload(), "api", DECLARED)]

    assert [curve.deployment for curve in cost.curves(options, DECLARED, demand)] == ["box"]
