"""Two cells' kept predictions -> the items to calibrate on and those to evaluate on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from steelyard.cascade.calibration import Answers, Bools
from steelyard.errors import StoreError
from steelyard.record import Prediction

ById = Mapping[str, Prediction]
# Fewer common items tell nothing of a threshold; fewer others calibrate worse than the common ones.
FEWEST_COMMON = 20
FEWEST_OTHERS = 100


class Material(Struct, frozen=True, kw_only=True):
    """What both were asked (`common`), and what only the specialist was (`others`).

    No specialist learned from either: both are test items. `others` is None where they are too
    few to calibrate on.
    """

    common: Answers
    generalist_right: Bools
    others: Answers | None = None


def material(specialist: ById, generalist: ById, labels: Sequence[str]) -> Material:
    """Return the items that both were asked and the others, in the order of their ids.

    `labels` are the task's, in the order of the scores. Raises StoreError where the specialist's
    scores are not there or not in that order, or where the common items are too few.
    """
    common = sorted(specialist.keys() & generalist.keys())
    if len(common) < FEWEST_COMMON:
        raise StoreError(
            f"both were asked {len(common)} of the same items; a threshold needs {FEWEST_COMMON}"
        )
    others = sorted(specialist.keys() - generalist.keys())
    return Material(
        common=_answers(specialist, common, labels),
        generalist_right=np.array([_right(generalist[name]) for name in common], dtype=np.bool_),
        others=_answers(specialist, others, labels) if len(others) >= FEWEST_OTHERS else None,
    )


def lacks_scores(predictions: ById) -> bool:
    """Tell whether some prediction was kept without a score a label."""
    return any(one.scores is None for one in predictions.values())


def _answers(predictions: ById, names: Sequence[str], labels: Sequence[str]) -> Answers:
    column = {label: place for place, label in enumerate(labels)}
    kept = [predictions[name] for name in names]
    strange = next((p for p in kept if p.expected not in column), None)
    if strange is not None:
        raise StoreError(f"item {strange.id}: {strange.expected!r} is no label of the task's card")
    scores = np.array([_scores(one, len(labels)) for one in kept], dtype=np.float64)
    if not bool(np.isfinite(scores).all()):
        raise StoreError("the specialist's scores are not all finite numbers")
    found = Answers(
        ids=tuple(names),
        scores=scores,
        expected=np.array([column[one.expected] for one in kept], dtype=np.intp),
    )
    _check_order(found, kept, labels)
    return found


def _scores(one: Prediction, labels: int) -> tuple[float, ...]:
    if one.scores is None or len(one.scores) != labels:
        had = "no scores" if one.scores is None else f"{len(one.scores)} scores"
        raise StoreError(f"item {one.id}: {had}, expected one for each of {labels} labels")
    return one.scores


def _check_order(answers: Answers, kept: Sequence[Prediction], labels: Sequence[str]) -> None:
    """Refuse scores whose best is not the answer: their columns would be other labels."""
    for place, one in zip(answers.scores.argmax(axis=1).tolist(), kept, strict=True):
        if labels[place] != one.answer:
            raise StoreError(
                f"item {one.id}: the answer is {one.answer!r}, the best score {labels[place]!r}'s; "
                "the task's card has changed since the run: give --cards with the one it used"
            )


def _right(one: Prediction) -> bool:
    return one.answer == one.expected
