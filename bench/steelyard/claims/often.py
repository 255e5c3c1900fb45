"""Whether specialists beat generalists: by task, adjusted for choosing and for many tasks."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from steelyard import stats
from steelyard.claims.card import Claim
from steelyard.claims.grounds import Task
from steelyard.claims.ratios import NO_PAIR, name
from steelyard.claims.types import Standing, TaskEvidence
from steelyard.verdict.types import Comparison, Verdict

POINTS = 100


class Case(Struct, frozen=True, kw_only=True):
    """The strongest case that a task makes for one side, its pairs, and its p-value.

    For: one specialist is better than every generalist, at the largest p-value of these pairs
    times the number of specialists it was chosen from. Against: one generalist is better than
    every specialist, the same way round.
    """

    p_value: float = 1.0
    pairs: tuple[Verdict, ...] = ()


def score(claim: Claim, tasks: Sequence[Task]) -> tuple[TaskEvidence, ...]:
    """Judge all tasks together: the p-values are adjusted over those that could tell."""
    told = {task.id: _compared(task) for task in tasks}
    fors = {task: strongest(pairs, small=True) for task, pairs in told.items() if pairs}
    againsts = {task: strongest(pairs, small=False) for task, pairs in told.items() if pairs}
    own = [min(fors[task].p_value, againsts[task].p_value) for task in fors]
    adjusted = dict(zip(fors, stats.holm(own), strict=True))
    return tuple(
        _evidence(claim, task, _Cases(fors[task.id], againsts[task.id], adjusted[task.id]))
        if told[task.id]
        else TaskEvidence(task=task.id, standing="not tested", text=_why_none(task))
        for task in tasks
    )


def strongest(pairs: Sequence[Verdict], *, small: bool) -> Case:
    """Return the strongest case for (`small`) or against the specialists."""
    by_one: dict[str, list[Verdict]] = {}
    for pair in pairs:
        by_one.setdefault(pair.small.id if small else pair.large.id, []).append(pair)
    sign = 1 if small else -1
    cases = [
        Case(
            p_value=min(1.0, len(by_one) * max(_p_value(pair.score, sign) for pair in group)),
            pairs=tuple(group),
        )
        for group in by_one.values()
    ]
    return min(cases, key=lambda case: case.p_value, default=Case())


def expected_otherwise(tasks: Sequence[Task]) -> list[str]:
    """Return the tasks that the large side was expected to win, before anything was measured."""
    found: list[str] = []
    for task in tasks:
        said = task.card.expectation if task.card else None
        if (said or (task.verdict.expectation if task.verdict else None)) == "large":
            found.append(task.id)
    return found


class _Cases:
    """Both strongest cases of a task, and its p-value after adjusting over tasks."""

    def __init__(self, for_it: Case, against: Case, p_value: float) -> None:
        self.for_it = for_it
        self.against = against
        self.p_value = p_value

    def stand(self, level: float) -> Standing:
        if self.p_value > level:
            return "undecided"
        return "supported" if self.for_it.p_value < self.against.p_value else "refuted"


def _p_value(score: Comparison, sign: int) -> float:
    """Return the p-value, not adjusted, of a difference to one side; 1 where it is not seen."""
    seen = sign * (score.estimate or 0.0) > 0
    return score.p_equal if seen and score.p_equal is not None else 1.0


def _compared(task: Task) -> tuple[Verdict, ...]:
    return tuple(
        pair
        for pair in task.pairs
        if pair.score.status != "incomparable" and pair.score.estimate is not None
    )


def _evidence(claim: Claim, task: Task, cases: _Cases) -> TaskEvidence:
    standing = cases.stand(claim.threshold)
    shown = _shown(task, cases, standing)
    difference = [
        POINTS * value if value is not None else None
        for value in (shown.score.estimate, shown.score.low, shown.score.high)
    ]
    return TaskEvidence(
        task=task.id,
        standing=standing,
        text=_text(task, shown, cases, standing),
        estimate=difference[0],
        low=difference[1],
        high=difference[2],
    )


def _shown(task: Task, cases: _Cases, standing: Standing) -> Verdict:
    """Return the pair to show: of the case made, the one least in its favour."""
    if standing == "refuted":
        return max(cases.against.pairs, key=_estimate)
    if standing == "supported":
        return min(cases.for_it.pairs, key=_estimate)
    by_small: dict[str, list[Verdict]] = {}
    for pair in _compared(task):
        by_small.setdefault(pair.small.id, []).append(pair)
    worst = [min(group, key=_estimate) for group in by_small.values()]
    return max(worst, key=_estimate)


def _text(task: Task, shown: Verdict, cases: _Cases, standing: Standing) -> str:
    found = shown.score
    ends = (
        f" [{POINTS * found.low:+.1f},{POINTS * found.high:+.1f}]"
        if found.low is not None and found.high is not None
        else ""
    )
    n = f" on {found.n} items" if found.n else ""
    expected = ", the large side was expected to win" if expected_otherwise([task]) else ""
    return (
        f"{_WHO[standing]}, {name(shown)}: {POINTS * _estimate(shown):+.1f} points{ends}{n}, "
        f"p {cases.p_value:.2g} after Holm{expected}"
    )


_WHO: dict[Standing, str] = {
    "supported": "one specialist is better than every generalist; least so",
    "refuted": "one generalist is better than every specialist; least so",
    "undecided": "neither is shown; the specialist that does best against all",
}


def _estimate(pair: Verdict) -> float:
    return pair.score.estimate if pair.score.estimate is not None else float("-inf")


def _why_none(task: Task) -> str:
    reasons = dict.fromkeys(pair.score.reason for pair in task.pairs if pair.score.reason)
    return "; ".join(reasons) or NO_PAIR
