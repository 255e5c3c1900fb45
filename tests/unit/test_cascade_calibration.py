"""Calibration against scikit-learn and scipy, and on scores whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import log_loss as reference_log_loss

from steelyard.cascade import calibration
from steelyard.cascade.calibration import Answers
from steelyard.cascade.isotonic import isotonic, knots
from steelyard.cascade.policy import Floats, confidence
from steelyard.cascade.types import Tried

patient = settings(deadline=None, max_examples=80)


def answers(
    scores: Floats, expected: list[int] | np.ndarray[tuple[int], np.dtype[np.intp]]
) -> Answers:
    return Answers(
        ids=tuple(f"i{n:05}" for n in range(len(scores))),
        scores=np.asarray(scores, dtype=np.float64),
        expected=np.asarray(expected, dtype=np.intp),
    )


def drawn(n: int, labels: int, temperature: float, seed: int = 0) -> Answers:
    """Return logits whose true temperature is known: labels are drawn from their softmax."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (n, labels))
    shares = softmax(logits / temperature, axis=1)
    expected = np.array([random.choice(labels, p=share) for share in shares], dtype=np.intp)
    return answers(logits, expected)


@patient
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 1)), min_size=1, max_size=40))
def test_isotonic_agrees_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    at = np.array([x / 8 for x, _ in pairs])
    outcomes = np.array([float(y) for _, y in pairs])
    expected = IsotonicRegression().fit(at, outcomes).predict(at)

    assert isotonic(at, outcomes) == pytest.approx(expected, abs=1e-9)


@patient
@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 1)), min_size=3, max_size=60))
def test_between_knots_it_is_interpolated_as_scikit_learn_does(
    pairs: list[tuple[int, int]],
) -> None:
    at = np.array([x / 100 for x, _ in pairs])
    outcomes = np.array([float(y) for _, y in pairs])
    edge = 1 / (len(at) + 2)
    reference = IsotonicRegression(out_of_bounds="clip").fit(at, np.asarray(outcomes))
    asked = np.linspace(0, 1, 41)
    places, values = np.array(knots(at, outcomes)).T

    said = np.interp(asked, places, values)

    plain = np.clip(np.interp(asked, *_steps(reference)), edge, 1 - edge)
    at_knots = np.isin(asked, at)
    assert said[at_knots] == pytest.approx(plain[at_knots], abs=1e-9)
    assert bool((np.diff(said) >= -1e-12).all())
    assert edge <= said.min() <= said.max() <= 1 - edge


def _steps(fitted: IsotonicRegression) -> tuple[Floats, Floats]:
    return np.asarray(fitted.X_thresholds_), np.asarray(fitted.y_thresholds_)


def test_knots_keep_the_ends_of_each_step() -> None:
    at = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    outcomes = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 1.0])

    # 0 | 1 0 -> 1/2 | 1 1 1, kept off 0 and 1 by 1/8.
    assert knots(at, outcomes) == pytest.approx(
        np.array([(0.1, 0.125), (0.2, 0.5), (0.3, 0.5), (0.4, 0.875), (0.6, 0.875)])
    )


@pytest.mark.parametrize("true", [0.4, 1.0, 3.0])
def test_the_temperature_is_where_the_likelihood_is_highest(true: float) -> None:
    data = drawn(3000, 4, true)
    rows = np.arange(len(data.ids))

    def loss(at: float) -> float:
        return -float(log_softmax(data.scores / at, axis=1)[rows, data.expected].mean())

    expected = minimize_scalar(loss, bounds=(0.05, 50), method="bounded").x
    below = data.scores - data.scores.max(axis=1, keepdims=True)
    found = calibration.temperature(below, data.expected)

    assert found == pytest.approx(expected, rel=1e-3)
    assert found == pytest.approx(true, rel=0.1)


def test_a_temperature_stays_finite_where_every_answer_is_right() -> None:
    data = answers(np.array([[1.0, 0.0], [0.0, 1.0]] * 10), [0, 1] * 10)

    fitted = calibration.fit(data, "temperature")

    assert calibration.COLDEST <= fitted.temperature <= 0.05
    assert bool((confidence(data.scores, fitted) > 0.99).all())


@patient
@given(st.lists(st.tuples(st.floats(0.01, 0.99), st.booleans()), min_size=2, max_size=50))
def test_the_log_loss_is_scikit_learns(pairs: list[tuple[float, bool]]) -> None:
    shares, right = np.array([p for p, _ in pairs]), np.array([r for _, r in pairs])

    expected = reference_log_loss(right, shares, labels=[False, True])

    assert calibration.log_loss(shares, right) == pytest.approx(expected)


def test_the_calibration_error_by_hand() -> None:
    # Bin 0.9-1.0: mean 0.95, 1 of 2 right: 0.45 off. Bin 0.5-0.6: mean 0.55, 1 of 1: 0.45 off.
    # Bin 1.0 belongs to the last: with 1.0 in it.
    confidences = np.array([0.92, 0.98, 0.55])
    right = np.array([True, False, True])

    assert calibration.calibration_error(confidences, right) == pytest.approx((2 * 0.45 + 0.45) / 3)
    assert calibration.calibration_error(np.array([1.0]), np.array([True])) == 0


def test_scores_that_are_too_sure_are_cooled_by_the_method_that_holds_out_best() -> None:
    data = drawn(2000, 3, 3.0)

    tried = {one.method: one for one in calibration.try_all(data)}
    chosen = calibration.best(tuple(tried.values()))

    assert chosen.method != "none"
    assert tried["temperature"].log_loss < tried["none"].log_loss
    assert tried["temperature"].calibration_error < tried["none"].calibration_error / 3


def test_of_equal_methods_the_simpler_is_used() -> None:
    tried = [Tried(method=m, log_loss=0.5, calibration_error=0.1)
             for m in calibration.METHODS]  # fmt: skip

    assert calibration.best(tried).method == "none"


def test_a_warped_score_is_straightened_by_isotonic_only() -> None:
    """Wrong as often at the highest as in the middle: no temperature says that, steps do."""
    random = np.random.default_rng(1)
    strength = random.uniform(0, 6, 4000)
    right = random.uniform(size=4000) < np.where(strength > 2, 0.95, 0.5)
    scores = np.stack([strength, np.zeros(4000)], axis=1)
    data = answers(scores, np.where(right, 0, 1).astype(np.intp))

    assert calibration.best(calibration.try_all(data)).method == "isotonic"


def test_parts_are_the_same_whatever_the_order() -> None:
    data = drawn(50, 3, 1.0)
    turned = data.part(np.arange(49, -1, -1, dtype=np.intp))

    assert calibration.split(turned).tolist() == calibration.split(data)[::-1].tolist()
    assert np.bincount(calibration.split(data)).tolist() == [10] * 5
