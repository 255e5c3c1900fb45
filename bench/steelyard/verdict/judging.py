"""Runs and predictions -> a verdict a task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from steelyard.card import TaskCard
from steelyard.record import Cell, RunFile
from steelyard.verdict import rule, saying
from steelyard.verdict.answers import Contrast, Reweigh, Terms, contrast
from steelyard.verdict.caveats import below_baseline, of_pair
from steelyard.verdict.matching import Load, Pair, Side, did_not_run, latest, side, unfit
from steelyard.verdict.needs import Costs, needs
from steelyard.verdict.score import Scored, incomparable, score
from steelyard.verdict.types import TaskVerdict, Verdict

# Where the task's card is not at hand: the default that cards have.
DEFAULT_MARGIN = 0.01


class Means(Struct, frozen=True, kw_only=True):
    """What a verdict needs and records do not hold."""

    reweigh: Reweigh | None = None
    costs: Costs | None = None


class _Task(Struct, frozen=True, kw_only=True):
    """A task's cells by role, and its card where that is known."""

    name: str
    card: TaskCard | None
    sides: tuple[Side, ...]

    def role(self, role: str) -> tuple[Side, ...]:
        return tuple(one for one in self.sides if one.record.role == role)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        return tuple(
            Pair(small=small, large=large)
            for small in self.role("specialist")
            for large in self.role("generalist")
        )

    @property
    def answered(self) -> frozenset[str]:
        return frozenset(one.record.cell.id for one in self.sides if one.record.answered)

    def terms(self, family: int) -> Terms:
        margin = self.card.margin if self.card else DEFAULT_MARGIN
        higher = self.card.higher_is_better if self.card else True
        return Terms(margin=margin, higher_is_better=higher, family=family)


def judge(
    runs: Iterable[RunFile],
    load: Load,
    tasks: Mapping[str, TaskCard],
    means: Means | None = None,
) -> tuple[TaskVerdict, ...]:
    """Return a verdict a task, in the order of the runs; of a repeated cell the latest record.

    `load` returns a record's predictions; `tasks` are the cards by id, for margin and expectation.
    """
    found = latest(runs)
    names = dict.fromkeys(record.cell.task for _, record in found)
    return tuple(
        _judge(
            _Task(
                name=name,
                card=tasks.get(name),
                sides=tuple(side(run, r, load) for run, r in found if r.cell.task == name),
            ),
            means or Means(),
        )
        for name in names
    )


def _judge(task: _Task, means: Means) -> TaskVerdict:
    pairs = task.pairs
    contrasts = _contrasts(task, pairs, means.reweigh)
    family = sum(isinstance(one, Contrast) for one in contrasts)
    scores = _scores(task.terms(family), pairs, contrasts)
    verdicts = _verdicts(task, pairs, scores, means)
    outcome, winners = rule.together(verdicts, task.answered)
    by = saying.foremost(verdicts, winners)
    return TaskVerdict(
        task=task.name,
        outcome=outcome,
        reason=saying.reason(verdicts, by, _absences(task)),
        by=by,
        expectation=task.card.expectation if task.card else None,
        pairs=verdicts,
        family=family,
        p_value=_p_value(pairs, contrasts, task.answered),
    )


def _contrasts(
    task: _Task, pairs: Sequence[Pair], reweigh: Reweigh | None
) -> tuple[Contrast | str | None, ...]:
    """Return what answers say, a reason why they cannot be compared, or None where a cell has none.

    The family is counted before, since what it could detect depends on its size.
    """
    ran = [did_not_run(p.small) is None and did_not_run(p.large) is None for p in pairs]
    fits = [unfit(p) if both else None for p, both in zip(pairs, ran, strict=True)]
    family = sum(both and fit is None for both, fit in zip(ran, fits, strict=True))
    terms = task.terms(family)
    return tuple(
        (fit or contrast(pair, terms, reweigh)) if both else None
        for pair, both, fit in zip(pairs, ran, fits, strict=True)
    )


def _scores(
    terms: Terms, pairs: Sequence[Pair], contrasts: Sequence[Contrast | str | None]
) -> tuple[Scored, ...]:
    made = [one for one in contrasts if isinstance(one, Contrast)]
    metric = pairs[0].small.record.metric if pairs else ""
    judged = iter(score(made, terms, metric))
    return tuple(
        next(judged) if isinstance(one, Contrast) else _not_scored(pair, one, terms.margin)
        for pair, one in zip(pairs, contrasts, strict=True)
    )


def _not_scored(pair: Pair, unfit_for: str | None, margin: float) -> Scored:
    metric = pair.small.record.metric
    if unfit_for is not None:
        return incomparable(metric, margin, unfit_for, "incomparable")
    absent = (did_not_run(pair.small), did_not_run(pair.large))
    return incomparable(metric, margin, "; ".join(one for one in absent if one), "undecided")


def _verdicts(
    task: _Task, pairs: Sequence[Pair], scores: Sequence[Scored], means: Means
) -> tuple[Verdict, ...]:
    baselines = [one for one in task.role("baseline") if one.answers]
    players = {one.record.cell.id: one for pair in pairs for one in (pair.small, pair.large)}
    useless = {
        cell: below_baseline(one, baselines, task.terms(1), means.reweigh)
        for cell, one in players.items()
    }
    made = []
    for pair, scored in zip(pairs, scores, strict=True):
        ran = pair.small.record.answered and pair.large.record.answered
        resources = needs(pair, means.costs) if ran else ()
        made.append(
            saying.explained(
                Verdict(
                    task=task.name,
                    small=pair.small.record.cell,
                    large=pair.large.record.cell,
                    outcome=rule.outcome(scored, resources),
                    reason="",
                    score=scored.comparison,
                    resources=resources,
                    same_host=pair.hosts.alike,
                    caveats=of_pair(pair, useless),
                )
            )
        )
    return tuple(made)


def _absences(task: _Task) -> tuple[str, ...]:
    """Say what keeps a task from being judged at all, and which cells have no answers."""
    roles = [role for role in ("specialist", "generalist") if not task.role(role)]
    missing = [f"no {role} was run on this task" for role in roles]
    players = (*task.role("specialist"), *task.role("generalist"))
    return (*missing, *(said for one in players if (said := did_not_run(one))))


def _p_value(
    pairs: Sequence[Pair],
    contrasts: Sequence[Contrast | str | None],
    answered: frozenset[str],
) -> float | None:
    """Return the p-value that no specialist keeps up with every generalist that answered.

    Keeping up with all is an intersection-union test, the largest of a specialist's p-values of
    being worse by the margin or more (Berger 1982); the best of k specialists is Bonferroni's k
    times the smallest. None where nothing was compared. Being better implies keeping up.
    """
    worst: dict[Cell, float] = {}
    for pair, one in zip(pairs, contrasts, strict=True):
        small, large = pair.small.record.cell, pair.large.record.cell
        if small.id in answered and large.id in answered:
            p = one.p_small_worse if isinstance(one, Contrast) else 1.0
            worst[small] = max(worst.get(small, 0.0), p)
    if not any(isinstance(one, Contrast) for one in contrasts):
        return None
    return min(1.0, len(worst) * min(worst.values()))
