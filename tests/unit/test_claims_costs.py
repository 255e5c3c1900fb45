"""What is cheaper and what pays back, by prices whose sums can be done by hand."""

from __future__ import annotations

from math import ceil

import pytest
from msgspec import structs
from tests.unit import costing
from tests.unit.builders import TASK_CARD
from tests.unit.claiming import LARGE, SMALL, TASKS, claim, ledger

from steelyard import catalog
from steelyard.card import TaskCard
from steelyard.cost import Prices

# In a year at 1000 calls a day: a specialist is 12 hours of upkeep (600), a box (100), a little
# electricity and its set-up; a generalist 600, 153 for the service and its set-up (100 to 400).
SET_UP = "set_up_hours = { value = 10,"


def prices(hours: float) -> Prices:
    return costing.prices((SET_UP, f"set_up_hours = {{ value = {hours},"))


@pytest.mark.parametrize(
    ("hours", "standing"), [(0, "supported"), (10, "refuted"), (4, "undecided")]
)
def test_cheaper_holds_whatever_figure_is_off(hours: float, standing: str) -> None:
    found = claim(ledger(SMALL, LARGE, prices=prices(hours)), "cheaper")

    assert found.standing == standing
    assert "at 1,000 calls a day for 12 months" in found.reason


def test_a_ratio_of_costs_is_of_a_thousand_correct_answers() -> None:
    wrong = structs.replace(LARGE, right=40)

    alike = claim(ledger(SMALL, LARGE, prices=prices(0)), "cheaper").tasks[0]
    half = claim(ledger(SMALL, wrong, prices=prices(0)), "cheaper").tasks[0]

    assert alike.estimate is not None
    # 200 + 600 + 153.4 over 600 + 100 + 6.7: idle power at 2 W is 6.3 EUR a year.
    assert alike.estimate == pytest.approx(1.35, abs=0.01)
    assert half.estimate == pytest.approx(2 * alike.estimate)


@pytest.mark.parametrize(
    ("hours", "standing"), [(0, "supported"), (10, "refuted"), (6, "undecided")]
)
def test_pays_back_from_a_thousand_calls_a_day_or_not(hours: float, standing: str) -> None:
    found = claim(ledger(SMALL, LARGE, prices=prices(hours)), "pays-back")

    assert found.standing == standing
    assert found.unit == "calls a day"


def test_a_volume_is_rounded_up_alike_in_the_headline_and_in_its_evidence() -> None:
    found = claim(ledger(SMALL, LARGE, prices=prices(6)), "pays-back")
    told = found.tasks[0]

    assert told.estimate is not None
    volume = f"{ceil(told.estimate):,}"
    assert told.estimate % 1
    assert (
        f"{volume} (two) calls a day in the pair of each task that speaks least for it"
        in found.reason
    )
    assert f"from {volume} calls a day on" in told.text


def test_the_headline_says_what_the_times_are_of() -> None:
    made = ledger(SMALL, LARGE, prices=prices(0))
    said = {name: claim(made, name).reason for name in ("efficient", "cheaper", "faster")}

    # 10 ms against 1 s, 100 MB against 3 GB: memory is the lesser.
    assert (
        "30 (two) times the generalist's score for the same memory in the pair of"
        in said["efficient"]
    )
    assert "times the specialist's cost for a correct answer of the generalist" in said["cheaper"]
    assert (
        "100 (two) times the specialist's time (p50) for a call of the generalist" in said["faster"]
    )
    assert {one.of for one in claim(made, "efficient").tasks} == {"memory"}


def test_without_prices_costs_are_not_tested() -> None:
    made = ledger(SMALL, LARGE)

    for name in ("cheaper", "pays-back"):
        assert claim(made, name).standing == "not tested"
        assert claim(made, name).reason == "no prices were given"


def test_only_the_back_office_can_pay_back() -> None:
    card = catalog.decode(TASK_CARD.encode(), TaskCard, "toy")
    elsewhere = {name: structs.replace(card, domain="physical") for name in TASKS}

    found = claim(ledger(SMALL, LARGE, prices=prices(0), cards=elsewhere), "pays-back")

    assert found.standing == "not tested"
    assert found.reason == "no back-office task, but physical"


def test_with_less_being_better_there_is_no_score_for_each_joule() -> None:
    card = catalog.decode(TASK_CARD.encode(), TaskCard, "toy")
    turned = {name: structs.replace(card, higher_is_better=False) for name in TASKS}

    found = claim(ledger(SMALL, LARGE, cards=turned), "efficient")

    assert found.standing == "not tested"


def test_what_the_large_side_was_expected_to_win_is_named() -> None:
    card = catalog.decode(TASK_CARD.encode(), TaskCard, "toy")
    expected = {"two": structs.replace(card, expectation="large")}

    found = claim(ledger(SMALL, LARGE, cards=expected), "often-better")

    assert found.reason.endswith("expected beforehand of the large side: two")
    assert "the large side was expected to win" in found.tasks[1].text
