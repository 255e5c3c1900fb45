"""Verdicts of whole tasks, from hand-made runs: who wins, why, and what stays undecided."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.unit.builders import cell, host
from tests.unit.verdicts import (
    answered,
    card,
    duel,
    judged,
    large,
    load,
    marks,
    player,
    run,
    small,
)

from steelyard import stats, verdict
from steelyard.record import Evidence, WarmUp
from steelyard.verdict import FAMILY, RULE


def test_a_small_model_that_is_better_and_needs_less_wins() -> None:
    made = duel(5, 25, 100)

    assert made.outcome == "wins"
    assert made.by == cell(model="mini")
    (pair,) = made.pairs
    assert verdict.told(made.pairs, made.by) == pair
    assert (pair.score.small, pair.score.large) == (0.95, 0.75)
    assert pair.score.estimate == 0.2
    assert (pair.score.low, pair.score.high) == stats.paired_difference(5, 25, 100)[1:]
    assert pair.score.p_value == pair.score.adjusted == stats.mcnemar_exact(5, 25)
    # b' = 5.5, c' = 25.5, n' = 102: 20/102 -+ 1.96 sqrt(31 - 400/102)/102.
    assert made.reason.startswith(
        "mini@int8 is 20.0 points [9.6, 29.6] better than giant@int8 on the same 100 items; "
        "it takes 1/100 of its time (p50), 1/50 of its peak memory"
    )


def test_a_large_model_that_is_better_wins_in_the_same_words() -> None:
    made = duel(25, 5, 100)

    assert made.outcome == "loses"
    assert made.by == cell(model="giant")
    assert made.reason.startswith(
        "giant@int8 is 20.0 points [9.6, 29.6] better than mini@int8 on the same 100 items; "
        "it takes 100 times its time (p50), 50 times its peak memory"
    )


def test_a_difference_that_may_be_chance_is_undecided_and_says_what_would_show() -> None:
    made = duel(10, 14, 100)

    (pair,) = made.pairs
    assert made.outcome == pair.outcome == pair.score.status == "undecided"
    assert pair.score.detectable == stats.detectable_difference(25 / 102, 100)
    assert pair.score.reason == (
        "100 items show a difference of 13.7 points or more (80 % power, level 0.05 for 1 pair); "
        "to show equals within 1 point of each other takes about 15,200 items"
    )
    assert "is not shown to be better, worse or as good as giant@int8" in made.reason


def test_a_small_model_shown_to_keep_up_wins_by_needing_less() -> None:
    made = duel(10, 12, 2000)

    (pair,) = made.pairs
    assert pair.score.status == "same"
    assert pair.score.p_value == stats.noninferiority_p(10, 12, 2000, 0.01)
    assert made.outcome == "wins"
    assert "is shown to be at most 1 point worse than giant@int8" in made.reason


def test_the_margin_is_the_tasks() -> None:
    assert duel(20, 10, 400).outcome == "undecided"
    assert duel(20, 10, 400, margin=0.08).outcome == "wins"


def test_a_small_model_that_is_worse_within_the_margin_is_the_same() -> None:
    made = duel(12, 0, 4000)

    assert stats.mcnemar_exact(12, 0) < 0.001
    assert made.pairs[0].score.status == "same"
    assert made.outcome == "wins"


def test_a_model_that_is_better_within_the_margin_is_the_same_too() -> None:
    made = duel(0, 12, 4000)

    assert made.pairs[0].score.status == "same"
    assert "(measured: 0.3 points better [0.1, 0.5] on the same" in made.reason


def test_a_task_is_won_only_over_every_generalist() -> None:
    ours, theirs = marks(2, 40, 100)
    answers = {"mini": answered(ours), "giant": answered(theirs), "titan": answered(ours)}

    made = judged(answers, small(), large(), large("titan"))

    assert [pair.outcome for pair in made.pairs] == ["wins", "undecided"]
    assert made.outcome == "undecided"
    assert made.family == 2
    assert "titan" in made.reason
    # The sentence tells of the pair that stands in the way.
    assert verdict.told(made.pairs, made.by) == made.pairs[1]
    assert "Of 2 pairs the small model wins 1, the large one 0; 1 undecided" in made.reason


def test_the_p_values_of_a_task_are_adjusted_over_its_pairs() -> None:
    ours, theirs = marks(3, 13, 100)
    answers = {"mini": answered(ours), "tiny": answered(ours), "giant": answered(theirs)}

    alone = duel(3, 13, 100).pairs[0].score
    made = judged(answers, small(), small("tiny"), large())

    assert alone.status == "better"
    assert [pair.score.adjusted for pair in made.pairs] == [2 * (alone.p_value or 0)] * 2
    # Twice the smallest of the largest p-values of being worse by the margin.
    assert made.p_value == pytest.approx(2 * stats.noninferiority_p(3, 13, 100, 0.01))


def test_only_items_that_both_answered_count() -> None:
    ours, theirs = marks(0, 20, 100)
    answers = {
        "mini": (*answered(ours), *answered([False] * 500, prefix="other")),
        "giant": answered(theirs),
    }

    made = judged(answers, small(), large())

    assert (made.pairs[0].score.n, made.pairs[0].score.small) == (100, 1.0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"task_sha256": "9" * 64}, "different versions of the task's card"),
        ({"data_sha256": "9" * 64}, "on different data"),
        ({"metric": "mcc"}, "different metrics: accuracy and mcc"),
    ],
)
def test_what_was_measured_differently_is_incomparable(changes: dict[str, str], said: str) -> None:
    made = duel(0, 30, 100, small(), large(**changes))

    assert made.pairs[0].score.status == "incomparable"
    assert made.outcome == "undecided"
    assert said in made.reason
    assert (made.family, made.p_value) == (0, None)


def test_without_predictions_or_common_items_nothing_is_compared() -> None:
    ours, theirs = marks(0, 30, 100)
    without = judged({"mini": answered(ours)}, small(), large())
    apart = judged(
        {"mini": answered(ours), "giant": answered(theirs, prefix="x")}, small(), large()
    )

    assert "the predictions of giant@int8 are not at hand" in without.reason
    assert "no item in common" in apart.reason
    assert {without.outcome, apart.outcome} == {"undecided"}
    assert verdict.told(without.pairs, without.by) is None


def test_a_generalist_without_answers_is_named_and_no_opponent() -> None:
    ours, theirs = marks(0, 30, 100)
    killed = large("titan", outcome="out_of_memory", reason="killed at 8 GB", measurements=())
    answers = {"mini": answered(ours), "giant": answered(theirs)}

    made = judged(answers, small(), large(), killed)

    assert made.outcome == "wins"
    assert made.family == 1
    assert made.pairs[1].outcome == made.pairs[1].score.status == "undecided"
    assert made.pairs[1].resources == ()
    assert "titan@int8 has no answers (out of memory: killed at 8 GB)" in made.reason
    assert "the only generalist" not in made.reason.split("titan")[0].split(";")[0]


def test_a_specialist_that_refused_leaves_the_task_undecided() -> None:
    made = duel(0, 30, 100, small(outcome="refused", reason="no recipe"), large())

    assert made.outcome == "undecided"
    assert "mini@int8 has no answers (refused: no recipe)" in made.reason


def test_an_invalid_window_keeps_the_answers_and_withholds_the_time() -> None:
    broken = Evidence(window="latency", seconds=3, readings=4, broken=("throttled",))
    made = duel(0, 30, 100, small(outcome="invalid", evidence=(broken,)), large())

    time = made.pairs[0].resource("latency_p50")
    assert time is not None
    assert (time.status, time.estimate) == ("undecided", None)
    assert time.reason == "mini@int8: no valid window (throttled)"
    assert made.outcome == "wins"
    assert "time (p50) not compared" in made.reason


def test_a_win_of_a_model_no_better_than_the_baseline_says_so() -> None:
    ours, theirs = marks(0, 30, 100)
    baseline = player("majority", "baseline")
    answers = {"mini": answered(ours), "giant": answered(theirs), "majority": answered(ours)}

    made = judged(answers, small(), large(), baseline)

    assert made.outcome == "wins"
    assert (
        "mini@int8 is not shown to be better than the baseline majority@int8: 1.000 and 1.000 on "
        "the same 100 items" in made.reason
    )
    assert len(made.pairs) == 1


def test_a_model_that_beats_the_baseline_has_no_such_caveat() -> None:
    ours, theirs = marks(0, 30, 100)
    answers = {
        "mini": answered(ours),
        "giant": answered(theirs),
        "majority": answered([False] * 90 + [True] * 10),
    }

    made = judged(answers, small(), large(), player("majority", "baseline"))

    assert made.pairs[0].caveats == ()


def test_unlike_machines_threads_and_unsettled_latency_are_caveats() -> None:
    ours, theirs = marks(0, 30, 100)
    unsettled = WarmUp(calls=9, seconds=30, settled=False)
    runs = [
        run(small()),
        run(large(threads=4, warm_up=unsettled), host=replace(host(), cpu="Other 1")),
    ]
    answers = load({"mini": answered(ours), "giant": answered(theirs)})

    (made,) = verdict.judge(runs, answers, {"spam": card()})

    assert not made.pairs[0].same_host
    assert made.pairs[0].caveats == (
        "measured on unlike machines: ratios are of model and machine together",
        "the small model ran on 1 thread, the large one on 4 threads",
        "the latency of giant@int8 had not settled when it was timed",
    )
    assert "unlike machines" in made.reason


def test_a_task_without_one_side_says_which_is_missing() -> None:
    made = judged({}, small())

    assert (made.outcome, made.pairs) == ("undecided", ())
    assert made.reason == "no generalist was run on this task."


def test_what_was_expected_is_kept_beside_what_came_out() -> None:
    assert duel(25, 5, 100, expectation="small").expectation == "small"


def test_a_task_whose_card_is_gone_is_judged_by_the_default_margin() -> None:
    ours, theirs = marks(0, 30, 100)
    answers = load({"mini": answered(ours), "giant": answered(theirs)})

    (made,) = verdict.judge([run(small(), large())], answers, {})

    assert made.expectation is None
    assert made.pairs[0].score.margin == 0.01


def test_the_latest_record_of_a_cell_is_judged() -> None:
    ours, theirs = marks(0, 30, 100)
    old = small(started="2020-01-01T00:00:00+00:00", p50_ns=10**9)
    answers = load({"mini": answered(ours), "giant": answered(theirs)})

    (made,) = verdict.judge([run(small(), large()), run(old)], answers, {"spam": card()})

    time = made.pairs[0].resource("latency_p50")
    assert time is not None
    assert time.estimate == 100


def test_the_rule_is_written_down() -> None:
    for word in ("wins", "margin", "undecided", "every generalist", "Baselines"):
        assert word in RULE
    for word in ("McNemar", "Tango", "Holm", "10,000"):
        assert word in FAMILY
