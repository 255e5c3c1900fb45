"""The rule takes no side: swapping the roles mirrors every outcome."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.verdicts import answered, judged, large, marks, player

from steelyard.verdict import Comparison, TaskVerdict, rule
from steelyard.verdict.score import Scored
from steelyard.verdict.types import Outcome, Status

MIRROR: dict[Outcome, Outcome] = {"wins": "loses", "loses": "wins", "undecided": "undecided"}

Figures = tuple[int, int]


def scored(status: Status, *, small: bool = False, large_too: bool = False) -> Scored:
    found = Comparison(quantity="score", status=status, unit="accuracy")
    return Scored(comparison=found, small_keeps_up=small, large_keeps_up=large_too)


def need(status: Status, *, decides: bool = True) -> Comparison:
    return Comparison(quantity="memory_peak", status=status, unit="B", decides=decides)


@pytest.mark.parametrize(
    ("score", "needs", "outcome"),
    [
        # First the answers, whatever they need.
        (scored("better", small=True), ["worse"], "wins"),
        (scored("worse"), ["better"], "loses"),
        # Level answers: who needs less.
        (scored("same", small=True), ["better", "undecided"], "wins"),
        (scored("same", small=True), ["better", "worse"], "undecided"),
        (scored("same", small=True), ["same"], "undecided"),
        (scored("same", small=True), ["worse"], "undecided"),
        (scored("same", small=True, large_too=True), ["worse"], "loses"),
        (scored("undecided", large_too=True), ["worse"], "loses"),
        (scored("undecided"), ["better"], "undecided"),
        (scored("incomparable"), ["better"], "undecided"),
    ],
)
def test_answers_come_first_and_needs_decide_between_equals(
    score: Scored, needs: list[Status], outcome: Outcome
) -> None:
    assert rule.outcome(score, [need(status) for status in needs]) == outcome


def test_what_is_only_shown_decides_nothing() -> None:
    level = scored("same", small=True)

    assert rule.outcome(level, [need("better", decides=False)]) == "undecided"
    assert rule.outcome(level, [need("better"), need("worse", decides=False)]) == "wins"


def task(
    discordant: list[tuple[int, int]], n: int, needs: list[Figures], *, swapped: bool
) -> TaskVerdict:
    """Judge one model against several others, as the small one or as the large one."""
    one, others = ("generalist", "specialist") if swapped else ("specialist", "generalist")
    answers = {"one": answered([True] * n)}
    records = [player("one", one, *needs[0])]
    for place, ((b, c), figures) in enumerate(zip(discordant, needs[1:], strict=True)):
        ours, theirs = marks(b, c, n)
        model = f"other-{place}"
        # The one's marks are the same beside each: all right, or a pair of its own.
        answers[model] = answered(theirs)
        if len(discordant) == 1:
            answers["one"] = answered(ours)
        records.append(player(model, others, *figures))
    return judged(answers, *records, margin=0.05)


figures = st.tuples(st.integers(90, 120), st.integers(90, 120))


@settings(deadline=None, max_examples=40)
@given(
    n=st.sampled_from([40, 200, 500]),
    data=st.data(),
    needs=st.lists(figures, min_size=2, max_size=2),
)
def test_swapping_the_roles_of_two_models_mirrors_the_outcome(
    n: int, data: st.DataObject, needs: list[Figures]
) -> None:
    b = data.draw(st.integers(0, n // 4))
    c = data.draw(st.integers(max(0, b - 30), min(n // 4, b + 30)))

    seen = task([(b, c)], n, needs, swapped=False)
    swapped = task([(b, c)], n, needs, swapped=True)

    assert swapped.outcome == MIRROR[seen.outcome]
    assert swapped.by == seen.by
    if seen.outcome != "undecided":
        assert swapped.pairs[0].reason == seen.pairs[0].reason


def test_swapping_the_roles_in_a_task_of_many_mirrors_the_outcome() -> None:
    needs = [(100, 100), (500, 500), (500, 500)]
    seen = task([(0, 20), (0, 30)], 100, needs, swapped=False)
    swapped = task([(0, 20), (0, 30)], 100, needs, swapped=True)

    assert (seen.outcome, swapped.outcome) == ("wins", "loses")
    assert seen.by == swapped.by
    assert seen.reason.split(". ")[0] == swapped.reason.split(". ")[0]
    assert "each of the 2 generalists" in seen.reason
    assert "each of the 2 specialists" in swapped.reason


def test_a_task_is_lost_to_one_generalist_that_wins_over_every_specialist() -> None:
    ours, theirs = marks(30, 0, 100)
    answers = {
        "mini": answered(ours),
        "tiny": answered(ours),
        "giant": answered(theirs),
        "dull": answered(ours),
    }
    records = [player(name, "specialist") for name in ("mini", "tiny")]

    made = judged(answers, *records, large(), large("dull"))

    assert made.outcome == "loses"
    assert made.by is not None
    assert made.by.model == "giant"
