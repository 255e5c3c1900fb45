"""Score one label an item: accuracy, macro-F1, MCC, one label's F1, recall at a low alarm rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.api import Answer, Label, Score
from steelyard.card import Option
from steelyard.errors import PrepareError, SteelyardError
from steelyard.scorers.confusion import (
    Counts,
    Floats,
    Totals,
    confusion,
    draws,
    f1_of,
    macro_f1,
    matthews,
    totals,
    weighted_totals,
)
from steelyard.scorers.ranking import recall_at_fpr, recall_draws, recall_weighted
from steelyard.stats import percentile_interval, wilson

DRAWS = 10_000
SEED = 0

_BOOTSTRAP = f"bootstrap over items, {DRAWS} draws"


class ClassificationOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`metric` comes first. With `positive`, its F1 and recall at a false-positive rate too."""

    metric: str = "accuracy"
    positive: str | None = None
    max_fpr: float = 0.01


class Classification:
    """Scorer `classification`."""

    def score(
        self,
        answers: Sequence[Answer],
        expected: Sequence[str],
        labels: Sequence[Label],
        options: Mapping[str, Option],
    ) -> list[Score]:
        """Return all metrics, the wanted one first; recall is absent where answers lack scores."""
        how = _options(options, labels)
        numbers = {label.id: number for number, label in enumerate(labels)}
        _check(answers, expected, numbers)
        truth = np.array([numbers[label] for label in expected], dtype=np.intp)
        said = np.array([numbers[answer.label] for answer in answers], dtype=np.intp)
        positive = None if how.positive is None else numbers[how.positive]
        scores = _of_confusion(confusion(truth, said, len(labels)), positive)
        if how.positive is not None and all(answer.scores is not None for answer in answers):
            margins = _margins(answers, numbers[how.positive], len(labels))
            recall = _recall(truth == numbers[how.positive], margins, how)
            scores += [recall] if recall is not None else []
        return _first(how.metric, scores)

    def weighted(
        self,
        answers: Sequence[Answer],
        expected: Sequence[str],
        labels: Sequence[Label],
        options: Mapping[str, Option],
    ) -> Callable[[Counts], Floats]:
        """Return the wanted metric as a function of how often each item was drawn."""
        how = _options(options, labels)
        numbers = {label.id: number for number, label in enumerate(labels)}
        _check(answers, expected, numbers)
        truth = np.array([numbers[label] for label in expected], dtype=np.intp)
        said = np.array([numbers[answer.label] for answer in answers], dtype=np.intp)
        metrics = _metrics(None if how.positive is None else numbers[how.positive])
        if how.metric in metrics:
            metric = metrics[how.metric]
            return lambda counts: metric(weighted_totals(truth, said, len(labels), counts))
        if how.metric != f"recall-at-fpr-{how.max_fpr:g}" or how.positive is None:
            raise SteelyardError(f"scorer.options.metric: no {how.metric!r} of drawn items")
        if any(answer.scores is None for answer in answers):
            raise SteelyardError(f"{how.metric} needs scores in every answer")
        margins = _margins(answers, numbers[how.positive], len(labels))
        positive = truth == numbers[how.positive]
        return lambda counts: recall_weighted(positive, margins, how.max_fpr, counts)


def _metrics(positive: int | None) -> dict[str, Callable[[Totals], Floats]]:
    """Return the metrics that need the answers only, by name."""
    metrics: dict[str, Callable[[Totals], Floats]] = {
        "accuracy": _accuracy,
        "macro-f1": macro_f1,
        "mcc": matthews,
    }
    if positive is not None:
        metrics["f1"] = partial(f1_of, label=positive)
    return metrics


def _accuracy(counts: Totals) -> Floats:
    return np.asarray(counts.right.sum(axis=-1) / counts.expected.sum(axis=-1))


def _options(given: Mapping[str, Option], labels: Sequence[Label]) -> ClassificationOptions:
    """Decode the options and check them against the labels."""
    try:
        how = msgspec.convert(dict(given), ClassificationOptions)
    except msgspec.ValidationError as error:
        raise PrepareError(f"scorer.options: {error}") from error
    if how.positive is not None and how.positive not in {label.id for label in labels}:
        raise PrepareError(f"scorer.options.positive: {how.positive!r} is not a label of the task")
    if not 0 <= how.max_fpr <= 1:
        raise PrepareError(f"scorer.options.max_fpr: {how.max_fpr}, expected 0 to 1")
    return how


def _check(answers: Sequence[Answer], expected: Sequence[str], numbers: Mapping[str, int]) -> None:
    """Refuse what cannot be scored."""
    if not answers:
        raise SteelyardError("nothing to score: there are no answers")
    if len(answers) != len(expected):
        raise SteelyardError(f"{len(answers)} answers for {len(expected)} items")
    for place, answer in enumerate(answers):
        if answer.label not in numbers:
            raise SteelyardError(f"answer {place}: {answer.label!r} is not a label of the task")
        if answer.scores is not None and len(answer.scores) != len(numbers):
            raise SteelyardError(
                f"answer {place}: {len(answer.scores)} scores for {len(numbers)} labels"
            )
    for place, label in enumerate(expected):
        if label not in numbers:
            raise SteelyardError(f"item {place}: {label!r} is not a label of the task")


def _of_confusion(matrix: Counts, positive: int | None) -> list[Score]:
    """Return the metrics that need the answers only; F1 where one label is `positive`."""
    n, right = int(matrix.sum()), int(np.trace(matrix))
    low, high = wilson(right, n)
    seen, drawn = totals(matrix), draws(matrix, DRAWS, SEED)
    accuracy = Score(metric="accuracy", value=right / n, n=n, low=low, high=high, method="Wilson")
    return [
        accuracy,
        *(
            _bootstrapped(name, float(metric(seen)), n, metric(drawn))
            for name, metric in _metrics(positive).items()
            if name != accuracy.metric
        ),
    ]


def _bootstrapped(metric: str, value: float, n: int, drawn: Floats) -> Score:
    """Return a score with the interval of its draws."""
    low, high = percentile_interval(drawn)
    return Score(metric=metric, value=value, n=n, low=low, high=high, method=_BOOTSTRAP)


def _margins(answers: Sequence[Answer], positive: int, labels: int) -> Floats:
    """Return how far the positive label's score lies above the best other.

    A margin ranks probabilities and log-likelihoods alike: the latter are not normalised over the
    labels, so that the positive's own would rank long texts last.
    """
    scores = np.array([answer.scores for answer in answers], dtype=np.float64)
    others = np.delete(np.arange(labels), positive)
    return np.asarray(scores[:, positive] - scores[:, others].max(axis=1))


def _recall(
    positive: NDArray[np.bool_], margins: Floats, how: ClassificationOptions
) -> Score | None:
    """Return recall at the false-positive rate, or None where a class did not occur."""
    if positive.all() or not positive.any():
        return None
    value = recall_at_fpr(positive, margins, how.max_fpr)
    drawn = recall_draws(positive, margins, how.max_fpr, DRAWS, SEED)
    return _bootstrapped(f"recall-at-fpr-{how.max_fpr:g}", value, len(positive), drawn)


def _first(metric: str, scores: list[Score]) -> list[Score]:
    """Return the scores with the wanted one in front."""
    wanted = [score for score in scores if score.metric == metric]
    if not wanted:
        had = ", ".join(score.metric for score in scores)
        raise SteelyardError(
            f"scorer.options.metric: no {metric!r}; there is {had} "
            "(f1 and recall need `positive`; recall both classes and scores in every answer)"
        )
    return wanted + [score for score in scores if score.metric != metric]
