"""What decides in production: confidence by hand and by scipy, strict about what it is given."""

from __future__ import annotations

from math import exp, log
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from steelyard import cascade
from steelyard.cascade import Policy
from steelyard.cascade.policy import ScoreError, scale_of

patient = settings(deadline=None, max_examples=60)


def policy(**changes: Any) -> Policy:
    facts: dict[str, Any] = {
        "labels": 2,
        "scores": "logits",
        "method": "none",
        "threshold": 0.8,
    }
    return Policy(**{**facts, **changes})


def test_the_confidence_of_logits_is_the_best_labels_softmax() -> None:
    assert cascade.confidence([2.0, 0.0], policy())[0] == pytest.approx(1 / (1 + exp(-2)))


def test_a_temperature_divides_the_logits() -> None:
    warm = policy(method="temperature", temperature=2.0)

    assert cascade.confidence([2.0, 0.0], warm)[0] == pytest.approx(1 / (1 + exp(-1)))


def test_probabilities_stand_for_themselves_and_are_filled_up_to_one() -> None:
    how = policy(scores="probabilities")

    assert cascade.confidence([0.9, 0.1], how)[0] == pytest.approx(0.9)
    assert cascade.confidence([0.3, 0.1], how)[0] == pytest.approx(0.75)


def test_a_temperature_divides_the_logarithms_of_probabilities() -> None:
    how = policy(scores="probabilities", method="temperature", temperature=2.0)
    roots = [0.9**0.5, 0.1**0.5]

    assert cascade.confidence([0.9, 0.1], how)[0] == pytest.approx(roots[0] / sum(roots))


def test_knots_are_interpolated_between_and_hold_beyond_their_ends() -> None:
    how = policy(method="isotonic", knots=((0.6, 0.5), (0.8, 0.7)))
    at = [log(p / (1 - p)) for p in (0.55, 0.7, 0.95)]

    said = cascade.confidence([[x, 0.0] for x in at], how)

    assert said == pytest.approx([0.5, 0.6, 0.7])


def test_the_generalist_is_asked_at_the_threshold_and_below() -> None:
    even = policy(threshold=0.5)

    assert cascade.decide([1.0, 1.0], even)
    assert not cascade.decide([1.0, 0.9], even)


@patient
@given(st.lists(st.floats(-30, 30), min_size=2, max_size=9))
def test_a_threshold_of_0_never_asks_and_one_of_1_always(scores: list[float]) -> None:
    never, always = (policy(labels=len(scores), threshold=t) for t in (0.0, 1.0))

    assert not cascade.decide(scores, never)
    assert cascade.decide(scores, always)


@patient
@given(st.lists(st.floats(-20, 20), min_size=2, max_size=9), st.floats(0.3, 10))
def test_the_confidence_is_scipys_softmax(scores: list[float], temperature: float) -> None:
    how = policy(labels=len(scores), method="temperature", temperature=temperature)
    floor = max(scores) - 50
    expected = softmax(np.maximum(scores, floor) / temperature).max()

    assert cascade.confidence(scores, how)[0] == pytest.approx(expected)


def test_a_label_without_train_items_changes_no_confidence() -> None:
    with_it = cascade.confidence([2.0, 0.0, -1e9], policy(labels=3))[0]

    assert with_it == pytest.approx(1 / (1 + exp(-2)))


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ([1.0], "1 scores an item, expected one for each of 2"),
        ([1.0, 2.0, 3.0], "3 scores an item"),
        ([1.0, float("nan")], "not finite"),
        ([float("inf"), 1.0], "not finite"),
    ],
)
def test_scores_that_say_nothing_are_refused(scores: list[float], said: str) -> None:
    with pytest.raises(ScoreError, match=said):
        cascade.decide(scores, policy())


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 1.5},
        {"threshold": -0.1},
        {"labels": 1},
        {"temperature": 0.0, "method": "temperature"},
        {"temperature": 2.0},
        {"method": "isotonic"},
        {"knots": [[0.5, 0.5]]},
        {"method": "isotonic", "knots": [[0.5, 0.6], [0.7, 0.5]]},
        {"method": "isotonic", "knots": [[0.7, 0.5], [0.5, 0.6]]},
        {"method": "platt"},
        {"extra": 1},
    ],
)
def test_a_policy_that_contradicts_itself_is_not_read(changes: dict[str, Any]) -> None:
    plain = {"labels": 2, "scores": "logits", "method": "none", "threshold": 0.8}

    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode({**plain, **changes}), type=Policy)


@pytest.mark.parametrize(
    ("rows", "scale"),
    [
        ([[0.9, 0.1], [0.2, 0.8]], "probabilities"),
        ([[0.3, 0.1], [0.0, 0.2]], "probabilities"),
        ([[0.4, -0.4], [0.1, -0.1]], "logits"),
        ([[0.9, 0.8], [0.2, 0.1]], "logits"),
        ([[0.0, 0.0], [0.2, 0.1]], "logits"),
    ],
)
def test_probabilities_are_told_from_logits(rows: list[list[float]], scale: str) -> None:
    assert scale_of(np.array(rows)) == scale
