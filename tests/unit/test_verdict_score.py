"""Scores other than accuracy, by the paired bootstrap through the task's scorer; and the family."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.verdicts import answered, card, judged, large, marks, small

from steelyard import stats
from steelyard.api import Answer
from steelyard.errors import SteelyardError
from steelyard.record import Prediction, Record
from steelyard.scorers.classification import Classification
from steelyard.verdict import Means
from steelyard.verdict.answers import BOOTSTRAP, Contrast, Terms
from steelyard.verdict.score import score


def macro_f1(_: Record, predictions: Sequence[Prediction]) -> stats.Metric:
    answers = [Answer(label=p.answer) for p in predictions]
    expected = [p.expected for p in predictions]
    return Classification().weighted(answers, expected, card().labels, {"metric": "macro-f1"})


def wrong(_: Record, predictions: Sequence[Prediction]) -> stats.Metric:
    """Return the share of wrong answers: a metric of which less is better."""
    errors = np.array([p.answer != p.expected for p in predictions], dtype=float)
    return lambda counts: np.asarray(counts @ errors / counts.sum(axis=1))


def mixed(right: Sequence[bool]) -> tuple[Prediction, ...]:
    """Return answers to items of two labels in turn."""
    other = {"a": "b", "b": "a"}
    return tuple(
        Prediction(id=f"i{i}", expected=label, answer=label if mark else other[label])
        for i, (mark, label) in enumerate(zip(right, "ab" * len(right), strict=False))
    )


def test_macro_f1_is_compared_by_the_paired_bootstrap() -> None:
    ours, theirs = marks(4, 30, 120)
    answers = {"mini": mixed(ours), "giant": mixed(theirs)}

    made = judged(
        answers,
        small(metric="macro-f1"),
        large(metric="macro-f1"),
        means=Means(reweigh=macro_f1),
    )

    found = made.pairs[0].score
    assert found.test == BOOTSTRAP
    assert (found.status, found.unit) == ("better", "macro-f1")
    # The labels alternate, and so do errors: macro-F1 is about the share of right answers.
    assert found.estimate == pytest.approx(26 / 120, abs=0.01)
    low, high = stats.paired_difference(4, 30, 120)[1:]
    assert found.low == pytest.approx(low, abs=0.02)
    assert found.high == pytest.approx(high, abs=0.02)
    assert "points of macro-f1" in made.reason


def test_a_metric_of_which_less_is_better_is_turned() -> None:
    ours, theirs = marks(4, 30, 120)
    answers = {"mini": answered(ours), "giant": answered(theirs)}
    records = (small(metric="error"), large(metric="error"))

    made = judged(answers, *records, means=Means(reweigh=wrong), higher_is_better=False)

    found = made.pairs[0].score
    assert found.status == "better"
    assert found.estimate == pytest.approx(26 / 120)
    assert found.small == pytest.approx(4 / 120)
    assert found.large == pytest.approx(30 / 120)
    assert found.low is not None
    assert found.low > 0


def test_a_scorer_that_cannot_draw_again_leaves_the_score_incomparable() -> None:
    ours, theirs = marks(4, 30, 120)
    answers = {"mini": answered(ours), "giant": answered(theirs)}

    made = judged(answers, small(metric="bleu"), large(metric="bleu"))

    assert made.pairs[0].score.status == "incomparable"
    assert "the scorer at hand cannot draw bleu again" in made.reason
    assert (made.outcome, made.family, made.p_value) == ("undecided", 0, None)


def test_a_scorer_that_refuses_leaves_its_reason() -> None:
    def refusing(record: Record, predictions: Sequence[Prediction]) -> stats.Metric:
        raise SteelyardError("recall needs scores in every answer")

    answers = {"mini": answered([True] * 9), "giant": answered([True] * 9)}
    records = (small(metric="recall"), large(metric="recall"))

    made = judged(answers, *records, means=Means(reweigh=refusing))

    assert made.pairs[0].score.reason == "recall needs scores in every answer"


def contrast(p_equal: float, small_worse: float, estimate: float) -> Contrast:
    return Contrast(
        n=100,
        small=0.9,
        large=0.9 - estimate,
        difference=stats.Difference(estimate, estimate - 0.1, estimate + 0.1),
        test="a test",
        p_equal=p_equal,
        p_small_worse=small_worse,
        p_large_worse=1.0,
        detectable=0.1,
        items_for_margin=1000,
    )


def test_each_kind_of_finding_is_adjusted_over_the_family() -> None:
    family = [contrast(0.03, 0.001, 0.1), contrast(0.02, 0.02, 0.1), contrast(0.9, 0.04, 0.0)]

    made = score(family, Terms(margin=0.01, family=3), "accuracy")

    # .03, .02, .9 become .06, .06, .9; .001, .02, .04 become .003, .04, .04.
    assert [one.comparison.status for one in made] == ["same"] * 3
    assert [one.comparison.adjusted for one in made] == pytest.approx([0.003, 0.04, 0.04])
    assert all(one.small_keeps_up for one in made)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(-0.5, 0.5)), max_size=6))
def test_a_larger_family_never_shows_more(found: list[tuple[float, float, float]]) -> None:
    family = [contrast(*one) for one in found]
    together = score(family, Terms(margin=0.01, family=len(family)), "accuracy")
    alone = [score([one], Terms(margin=0.01), "accuracy")[0] for one in family]

    for one, by_itself in zip(together, alone, strict=True):
        if by_itself.comparison.status == "undecided":
            assert one.comparison.status == "undecided"


def test_the_family_keeps_the_chance_of_any_false_finding() -> None:
    """Four equal pairs: `better` or `worse` of any is false; at the margin, so is `same`."""
    generator = np.random.default_rng(8)
    terms = Terms(margin=0.05, family=4)
    false: dict[str, list[bool]] = {"different": [], "same": []}
    for _ in range(400):
        equal = [_drawn(generator, 0.1, 0.1, terms) for _ in range(4)]
        at_margin = [_drawn(generator, 0.125, 0.075, terms) for _ in range(4)]
        seen = {one.comparison.status for one in score(equal, terms, "accuracy")}
        false["different"].append(bool(seen & {"better", "worse"}))
        false["same"].append(any(one.small_keeps_up for one in score(at_margin, terms, "accuracy")))

    # 400 families at .05: more than 33 in one of 200.
    assert sum(false["different"]) <= 33
    assert sum(false["same"]) <= 33


def _drawn(generator: np.random.Generator, b: float, c: float, terms: Terms) -> Contrast:
    n = 300
    lost, won, _ = generator.multinomial(n, [b, c, 1 - b - c]).tolist()
    return Contrast(
        n=n,
        small=0.8,
        large=0.8,
        difference=stats.paired_difference(lost, won, n),
        test="exact McNemar",
        p_equal=stats.mcnemar_exact(lost, won),
        p_small_worse=stats.noninferiority_p(lost, won, n, terms.margin),
        p_large_worse=stats.noninferiority_p(won, lost, n, terms.margin),
        detectable=None,
        items_for_margin=1,
    )
