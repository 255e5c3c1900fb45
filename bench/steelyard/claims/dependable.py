"""Whether answers hold: under other words, asked twice, within the list of labels."""

from __future__ import annotations

from collections.abc import Sequence

from steelyard import stats
from steelyard.claims.card import Claim
from steelyard.claims.grounds import Measured, Task
from steelyard.claims.types import Standing, TaskEvidence
from steelyard.claims.weighing import Finding, Interval, of_task, stand
from steelyard.record import Cell, Dependability

NO_GENERALIST = "no generalist was measured"
NOT_ASKED = "nobody was asked twice: a suite asks with `dependability = { items = 40 }`"


def dependability(claim: Claim, task: Task) -> TaskEvidence:
    """Judge the generalists one by one, beside all specialists that were asked again too."""
    specialists = _asked(task.of_role("specialist"))
    findings = [
        _dependable(claim, one.record.cell, one.record.dependability, specialists)
        for one in task.of_role("generalist")
    ]
    return of_task(task.id, findings, NO_GENERALIST)


def _dependable(
    claim: Claim, cell: Cell, large: Dependability | None, small: Sequence[Dependability]
) -> Finding:
    name = cell.name
    if large is None:
        return Finding(name=name, standing="not tested", text=NOT_ASKED)
    flips = _flips(large)
    return Finding(
        name=name,
        standing=_standing(claim, large, flips, small),
        text="; ".join((_said(large, flips), *_others(small))),
        figure=flips,
    )


def _standing(
    claim: Claim, large: Dependability, flips: Interval | None, small: Sequence[Dependability]
) -> Standing:
    by_wording: Standing = stand(flips, claim.threshold) if flips else "undecided"
    if by_wording == "supported":
        return "supported"
    if not small:
        return "undecided"
    repeats = _interval(large.repeats_differ, large.n)
    most = max((_interval(one.repeats_differ, one.n) for one in small), key=lambda one: one.high)
    if repeats.low > most.high:
        return "supported"
    no_more = repeats.estimate <= most.estimate
    return "refuted" if by_wording == "refuted" and no_more else "undecided"


def _flips(asked: Dependability) -> Interval | None:
    return _interval(asked.flipped, asked.n) if asked.flipped is not None else None


def _interval(count: int, n: int) -> Interval:
    low, high = stats.wilson(count, n)
    return Interval(estimate=count / n, low=low, high=high)


def _said(asked: Dependability, flips: Interval | None) -> str:
    if flips is None:
        wording = "other wordings: not asked"
    else:
        chosen = asked.correct / asked.n
        right = ", ".join(f"{one.correct / asked.n:.2f}" for one in asked.reworded)
        wording = (
            f"{asked.flipped} of {asked.n} answers change with the wording "
            f"[{flips.low:.0%},{flips.high:.0%}] (accuracy {chosen:.2f} as chosen, "
            f"{right} in other words)"
        )
    return f"{wording}, {_again(asked)}, {_outside(asked)}"


def _again(asked: Dependability) -> str:
    return f"{asked.repeats_differ} of {asked.n} differ when asked twice"


def _outside(asked: Dependability) -> str:
    if asked.label_scored:
        return "a label always, by construction (labels are scored)"
    return f"{asked.outside} of {asked.answers} answers name no label"


def _others(small: Sequence[Dependability]) -> tuple[str, ...]:
    if not small:
        return ("no specialist was asked twice",)
    most = max(small, key=lambda one: one.repeats_differ / one.n)
    outside = sum(one.outside for one in small)
    answers = sum(one.answers for one in small)
    return (
        f"specialists: at most {_again(most)}",
        f"{outside} of their {answers} answers name no label, and they have no wording to change",
    )


def _asked(measured: Sequence[Measured]) -> list[Dependability]:
    found = (one.record.dependability for one in measured)
    return [one for one in found if one is not None]
