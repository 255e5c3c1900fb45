"""The paired bootstrap, against scipy, the paired difference, and scikit-learn's metrics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats as reference
from sklearn import metrics

from steelyard import stats
from steelyard.api import Answer, Label, Score
from steelyard.card import Option
from steelyard.errors import SteelyardError
from steelyard.scorers.classification import Classification
from steelyard.stats.bootstrap import widening

LABELS = tuple(Label(id=name, words=name) for name in "abc")
Marks = NDArray[np.float64]


def mean_of(marks: Marks) -> Callable[[NDArray[np.int64]], Marks]:
    return lambda counts: np.asarray(counts @ marks / counts.sum(axis=1))


def marks(seed: int, n: int = 200, right: float = 0.8) -> Marks:
    return (np.random.default_rng(seed).uniform(size=n) < right).astype(float)


def test_the_difference_of_means_agrees_with_scipy() -> None:
    first, second = marks(1), marks(2, right=0.7)

    found = stats.resample(mean_of(first), mean_of(second), np.arange(200))
    expected = reference.bootstrap(
        (second - first,), np.mean, n_resamples=10_000, method="percentile", rng=0
    )

    assert found is not None
    assert found.estimate == pytest.approx(float((second - first).mean()))
    interval = expected.confidence_interval
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=0.006)
    assert found.error == pytest.approx(expected.standard_error, rel=0.03)


def test_the_same_seed_gives_the_same_draws_and_blocks_do_not_matter() -> None:
    first, second = marks(1, n=500), marks(2, n=500)
    made = [stats.resample(mean_of(first), mean_of(second), np.arange(500)) for _ in range(2)]

    assert made[0] == made[1]
    assert made[0] is not None
    assert len(made[0].draws) == stats.DRAWS


def test_items_of_a_cluster_are_drawn_together() -> None:
    # Ten subjects of twenty items, each subject wholly right or wrong: ten facts, not 200.
    first, second = np.ones(200), np.repeat([1.0] * 6 + [0.0] * 4, 20)
    clusters = np.repeat(np.arange(10), 20)

    alone = stats.resample(mean_of(first), mean_of(second), np.arange(200))
    together = stats.resample(mean_of(first), mean_of(second), clusters)

    assert alone is not None
    assert together is not None
    # sqrt(.6 * .4 / 10), widened for ten clusters, and sqrt(.6 * .4 / 200).
    assert together.error == pytest.approx(0.155 * widening(10), abs=0.008)
    assert alone.error == pytest.approx(0.0346, abs=0.002)


def test_p_values_are_shares_of_draws_and_never_nothing() -> None:
    found = stats.resample(mean_of(np.zeros(50)), mean_of(np.ones(50)), np.arange(50))

    assert found is not None
    assert found.p_above(0.0) == 1 / 10_001
    assert found.p_below(0.0) == 1.0
    assert found.p_equal() == 2 / 10_001


def test_equal_models_have_no_small_p_value() -> None:
    same = marks(1)
    found = stats.resample(mean_of(same), mean_of(same), np.arange(200))

    assert found is not None
    assert found.p_equal() == 1.0
    assert (found.low, found.high) == (0.0, 0.0)


def test_draws_without_a_metric_are_left_out_and_counted() -> None:
    def only_with_the_first(counts: NDArray[np.int64]) -> Marks:
        return np.asarray(np.where(counts[:, 0] > 0, 1.0, np.nan), dtype=np.float64)

    found = stats.resample(only_with_the_first, mean_of(np.ones(10)), np.arange(10))

    assert found is not None
    # (1 - 1/10)^10 of the draws lack the first item.
    assert found.undefined / stats.DRAWS == pytest.approx(0.9**10, abs=0.02)
    assert stats.resample(lambda counts: np.full(len(counts), np.nan), mean_of(np.ones(3)),
                          np.arange(3)) is None  # fmt: skip


def test_the_interval_of_macro_f1_covers_the_difference() -> None:
    truth_share, generator = 0.7, np.random.default_rng(11)
    covered = []
    for _ in range(40):
        expected = (generator.uniform(size=150) < truth_share).astype(int)
        sides = [np.where(generator.uniform(size=150) < p, expected, 1 - expected)
                 for p in (0.9, 0.8)]  # fmt: skip
        first, second = (_weighted("macro-f1", expected, said) for said in sides)
        found = stats.resample(first, second, np.arange(150), draws=400)
        assert found is not None
        covered.append(found.low <= _f1(0.8, truth_share) - _f1(0.9, truth_share) <= found.high)

    # 40 trials at .95: fewer than 33 in one of 300, and the seed is fixed.
    assert sum(covered) >= 33


def _f1(right: float, share: float) -> float:
    """Return macro-F1 in the limit, where each label is right with the same probability."""
    ones, zeros = share, 1 - share
    f_one = 2 * ones * right / (ones + ones * right + zeros * (1 - right))
    f_zero = 2 * zeros * right / (zeros + zeros * right + ones * (1 - right))
    return (f_one + f_zero) / 2


def _weighted(
    metric: str, expected: NDArray[np.int_], said: NDArray[np.int_]
) -> Callable[[NDArray[np.int64]], Marks]:
    answers = [Answer(label="abc"[one]) for one in said]
    return Classification().weighted(
        answers, ["abc"[one] for one in expected], LABELS, {"metric": metric}
    )


@pytest.mark.parametrize("metric", ["accuracy", "macro-f1", "mcc"])
def test_a_weighted_metric_is_the_metric_of_the_drawn_items(metric: str) -> None:
    generator = np.random.default_rng(6)
    truth, said = generator.integers(0, 3, 60), generator.integers(0, 3, 60)
    drawn = generator.integers(0, 60, size=(5, 60))
    counts = np.stack([np.bincount(row, minlength=60) for row in drawn])
    by_sklearn = {
        "accuracy": metrics.accuracy_score,
        "macro-f1": lambda a, b: metrics.f1_score(a, b, average="macro", zero_division=0.0),  # pyright: ignore[reportArgumentType]
        "mcc": metrics.matthews_corrcoef,
    }

    found = _weighted(metric, truth, said)(counts)

    expected = [by_sklearn[metric](truth[row], said[row]) for row in drawn]
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_weighted_recall_is_the_recall_of_the_drawn_items() -> None:
    generator = np.random.default_rng(7)
    options: dict[str, Option] = {"metric": "recall-at-fpr-0.1", "positive": "a", "max_fpr": 0.1}
    truth = ["a" if one else "b" for one in generator.integers(0, 2, 40)]
    answers = [Answer(label="a", scores=(float(x), 0.0, -9.0)) for x in generator.normal(size=40)]
    scorer = Classification()

    whole: list[Score] = scorer.score(answers, truth, LABELS, options)
    found = scorer.weighted(answers, truth, LABELS, options)(np.ones((1, 40), dtype=np.int64))

    assert found[0] == whole[0].value


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(SteelyardError, match="no 'auroc'"):
        Classification().weighted([Answer(label="a")], ["a"], LABELS, {"metric": "auroc"})
