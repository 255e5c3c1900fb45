"""The task's own scorer, asked to score draws of the answers: what the paired bootstrap needs."""

from __future__ import annotations

from collections.abc import Sequence

from steelyard import plugins
from steelyard.api import Answer, Scorer, WeighingScorer
from steelyard.card import TaskCard
from steelyard.record import Prediction, Record
from steelyard.stats import Metric
from steelyard.verdict.answers import Reweigh


def reweigher(card: TaskCard) -> Reweigh:
    """Return a function that lets the scorer of a task score draws of predictions."""

    def reweigh(record: Record, predictions: Sequence[Prediction]) -> Metric | None:
        scorer: Scorer = plugins.load("scorers", card.scorer.name)
        if card.metric != record.metric or not isinstance(scorer, WeighingScorer):
            return None
        answers = [Answer(label=one.answer, scores=one.scores) for one in predictions]
        expected = [one.expected for one in predictions]
        return scorer.weighted(answers, expected, card.labels, card.scorer.options)

    return reweigh
