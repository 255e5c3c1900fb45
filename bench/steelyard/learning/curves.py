"""Runs and predictions -> learning curves, each held against the task's generalists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from msgspec import structs

from steelyard import stats
from steelyard.card import TaskCard
from steelyard.errors import SteelyardError
from steelyard.learning import crossing
from steelyard.learning.comparing import Bout, judged, shown
from steelyard.learning.grouping import Asked, Group, Sides, absences, groups
from steelyard.learning.types import Against, Curve, Opponent, Step, TaskCurves
from steelyard.record import Prediction, RunFile
from steelyard.stats.bootstrap import Counts, Floats
from steelyard.verdict.answers import Reweigh, Terms, right
from steelyard.verdict.judging import DEFAULT_MARGIN
from steelyard.verdict.matching import Load, Side


def curves(
    runs: Iterable[RunFile],
    load: Load,
    tasks: Mapping[str, TaskCard],
    reweigh: Reweigh | None = None,
) -> tuple[TaskCurves, ...]:
    """Return the curves of each task that has any, in the order of the runs.

    `load` returns a record's predictions; `tasks` are the cards by id, for the margin. `reweigh`
    is needed where the metric is not accuracy.
    """
    return tuple(_task(group, tasks.get(group.task), reweigh) for group in groups(runs, load))


def _task(group: Group, card: TaskCard | None, reweigh: Reweigh | None) -> TaskCurves:
    terms = Terms(
        margin=card.margin if card else DEFAULT_MARGIN,
        higher_is_better=card.higher_is_better if card else True,
    )
    return TaskCurves(
        task=group.task,
        metric=group.metric,
        margin=terms.margin,
        curves=tuple(_curve(sides, group, terms, reweigh) for sides in group.curves),
        opponents=tuple(_opponent(one, reweigh) for one in group.generalists),
        notes=group.notes,
    )


def _curve(sides: Sides, group: Group, terms: Terms, reweigh: Reweigh | None) -> Curve:
    answering = [one for one in group.generalists if one.answers]
    bouts = [_bouts(sides, generalist, terms, reweigh) for generalist in answering]
    by_size = {asked: tuple(found[asked] for found in bouts) for asked in _answered(sides)}
    steps = tuple(
        structs.replace(_step(asked, found, sides.items, reweigh), against=by_size.get(asked, ()))
        for asked, found in sides.sizes.items()
    )
    return Curve(
        model=sides.model,
        variant=sides.variant,
        device=sides.device,
        n=len(sides.items),
        steps=steps,
        learned=crossing.learned(steps),
        notes=sides.notes,
    )


def _bouts(
    sides: Sides, generalist: Side, terms: Terms, reweigh: Reweigh | None
) -> dict[Asked, Against]:
    """Set every size with answers beside a generalist: one family of tests."""
    bouts = {
        asked: Bout(draws=draws, generalist=generalist, items=sides.items)
        for asked, draws in _answered(sides).items()
    }
    terms = structs.replace(terms, family=sum(bout.unfit is None for bout in bouts.values()))
    found = judged([shown(bout, terms, reweigh) for bout in bouts.values()])
    return dict(zip(bouts, found, strict=True))


def _answered(sides: Sides) -> dict[Asked, tuple[Side, ...]]:
    """Return the draws with answers of each size that has any."""
    known = {asked: tuple(one for one in found if one.answers)
             for asked, found in sides.sizes.items()}  # fmt: skip
    return {asked: draws for asked, draws in known.items() if draws}


def _step(
    asked: Asked, found: Sequence[Side], items: Sequence[str], reweigh: Reweigh | None
) -> Step:
    answered = [one for one in found if one.answers]
    step = Step(asked=asked, absent=tuple(absences(found)))
    if not answered:
        return step
    step = structs.replace(step, learned=_labels(answered))
    scores = _scores(answered, items, reweigh)
    if scores is None:
        reason = f"{answered[0].record.metric} cannot be had of these {len(items)} items"
        return structs.replace(step, absent=(*step.absent, reason))
    values, low, high = scores
    mean = sum(values) / len(values)
    return structs.replace(step, scores=values, mean=mean, low=low, high=high)


def _labels(answered: Sequence[Side]) -> int:
    return max(one.record.artifact.labelled_items if one.record.artifact else 0
               for one in answered)  # fmt: skip


def _scores(
    sides: Sequence[Side], items: Sequence[str], reweigh: Reweigh | None
) -> tuple[tuple[float, ...], float, float] | None:
    """Return a score a draw, and the interval of their mean over items."""
    if not items:
        return None
    answers = [[one.answers[item] for item in items] for one in sides]
    if sides[0].record.metric == "accuracy":
        return _accuracies(answers)
    try:
        metrics = [reweigh(one.record, given) if reweigh else None
                   for one, given in zip(sides, answers, strict=True)]  # fmt: skip
    except SteelyardError:
        return None
    known = [metric for metric in metrics if metric is not None]
    if len(known) < len(metrics):
        return None

    def mean(counts: Counts) -> Floats:
        return np.asarray(np.mean([metric(counts) for metric in known], axis=0))

    drawn = stats.resample(lambda counts: np.zeros(len(counts)), mean, np.arange(len(items)))
    if drawn is None:
        return None
    whole = np.ones((1, len(items)), dtype=np.int64)
    return tuple(float(metric(whole)[0]) for metric in known), drawn.low, drawn.high


def _accuracies(
    answers: Sequence[Sequence[Prediction]],
) -> tuple[tuple[float, ...], float, float]:
    """Return accuracies with Wilson's interval at their mean, to the nearest whole answer.

    The mean of several draws varies over items at most as a single answer does: the interval is
    never too narrow for that.
    """
    n = len(answers[0])
    correct = [sum(map(right, given)) for given in answers]
    low, high = stats.wilson(round(sum(correct) / len(correct)), n)
    return tuple(hits / n for hits in correct), low, high


def _opponent(one: Side, reweigh: Reweigh | None) -> Opponent:
    record = one.record
    chosen_on = record.prompt.n if record.prompt else 0
    scores = _scores([one], sorted(one.answers), reweigh) if one.answers else None
    if scores is None:
        why = "; ".join(absences([one])) or f"{record.metric} cannot be had of its answers"
        return Opponent(cell=record.cell, n=len(one.answers), chosen_on=chosen_on, absent=why)
    (score,), low, high = scores
    return Opponent(
        cell=record.cell, n=len(one.answers), score=score, low=low, high=high, chosen_on=chosen_on
    )
