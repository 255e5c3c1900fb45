"""Whether specialists are cheaper, and from which volume they pay back, by the prices given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

from msgspec import structs

from steelyard import cost
from steelyard.claims.card import Claim
from steelyard.claims.grounds import Task
from steelyard.claims.ratios import NO_PAIR, name, times
from steelyard.claims.types import Standing, TaskEvidence
from steelyard.claims.weighing import Finding, Interval, of_task, stand, together
from steelyard.cost import Versus, Workload
from steelyard.cost.crossing import volume
from steelyard.energy import Absent
from steelyard.verdict.types import Comparison, Verdict

NO_PRICES = "no prices were given"
Judge = Callable[[Claim, str, Versus], Finding]


def cheaper(claim: Claim, task: Task) -> TaskEvidence:
    """Judge the cost of a thousand correct answers, at the demand of the prices."""
    return _judged(claim, task, _cheaper)


def pays_back(claim: Claim, task: Task) -> TaskEvidence:
    """Judge from which volume the specialist costs no more; back-office tasks only."""
    if task.card is not None and task.card.domain != "back-office":
        return _untold(task, f"no back-office task, but {task.card.domain}")
    return _judged(claim, task, _pays_back)


def remarks(tasks: Sequence[Task]) -> tuple[str, ...]:
    """Say for which demand costs are told."""
    prices = next((task.known.prices for task in tasks), None)
    if prices is None:
        return ()
    demand = prices.demand
    return (f"at {demand.calls_a_day:,.0f} calls a day for {demand.months} months, by the prices",)


def _judged(claim: Claim, task: Task, judge: Judge) -> TaskEvidence:
    if task.known.prices is None:
        return _untold(task, NO_PRICES)
    return of_task(task.id, [_finding(claim, task, pair, judge) for pair in task.pairs], NO_PAIR)


def _untold(task: Task, why: str) -> TaskEvidence:
    return TaskEvidence(task=task.id, standing="not tested", text=why)


def _finding(claim: Claim, task: Task, pair: Verdict, judge: Judge) -> Finding:
    found = _versus(task, pair)
    if isinstance(found, Versus):
        return judge(claim, name(pair), found)
    return Finding(name=name(pair), standing="not tested", text=found.reason)


def _versus(task: Task, pair: Verdict) -> Versus | Absent:
    prices = task.known.prices
    sides = [task.measured(cell) for cell in (pair.small, pair.large)]
    small, large = (cost.workload(one.record, one.host) if one else None for one in sides)
    if prices is None or small is None or large is None:
        return Absent(reason="the records of the pair are not at hand")
    for work in (small, large):
        if isinstance(work, Absent):
            return work
    assert not isinstance(small, Absent)  # noqa: S101 - told above; for the type checkers
    assert not isinstance(large, Absent)  # noqa: S101
    ours = _on_common_items(small, pair.score, pair.score.small)
    theirs = _on_common_items(large, pair.score, pair.score.large)
    return cost.compare(ours, theirs, prices, prices.demand)


def _on_common_items(work: Workload, score: Comparison, correct: float | None) -> Workload:
    """Return the work with the share of correct answers on the items that both answered."""
    if score.unit != "accuracy" or not correct:
        return work
    return structs.replace(work, correct=correct, n=score.n)


def _cheaper(claim: Claim, who: str, found: Versus) -> Finding:
    if found.ratio is None or found.lowest is None or found.highest is None:
        why = found.no_ratio or "no ratio of costs"
        return Finding(name=who, standing="not tested", text=why)
    span = Interval(estimate=found.ratio, low=found.lowest, high=found.highest)
    return Finding(
        name=who,
        standing=stand(span, claim.threshold),
        text=f"{times(span)} by any one uncertain figure, {_where(found)}",
        figure=span,
    )


def _pays_back(claim: Claim, who: str, found: Versus) -> Finding:
    volume = found.break_even.for_good
    ends = [
        end for effect in found.sensitivity for end in (effect.for_good_low, effect.for_good_high)
    ]
    all_ends = [end if end is not None else inf for end in (volume, *ends)]
    return Finding(
        name=who,
        standing=together(_early(claim, end) for end in (volume, *ends)),
        text=f"{found.break_even.text}{_range(all_ends)}, {_where(found)}",
        figure=Interval(estimate=volume, low=min(all_ends), high=max(all_ends))
        if volume is not None
        else None,
        favour=-all_ends[0],
    )


def _early(claim: Claim, volume: float | None) -> Standing:
    return "supported" if volume is not None and volume <= claim.threshold else "refuted"


def _range(told: list[float]) -> str:
    if min(told) == max(told):
        return ""
    most = "never" if max(told) == inf else f"{volume(max(told))} a day"
    return f" ({volume(min(told))} to {most} by any one uncertain figure)"


def _where(found: Versus) -> str:
    small, large = found.small.deployed.deployment, found.large.deployed.deployment
    return f"on {small.name} and on {large.name}"
