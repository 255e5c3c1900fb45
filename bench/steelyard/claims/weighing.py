"""From pairs to a task, from tasks to a claim: the same rule for every claim, and its contrary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import isfinite

from msgspec import Struct

from steelyard.claims.card import Claim, Kind
from steelyard.claims.types import ClaimResult, Standing, TaskEvidence
from steelyard.cost.crossing import volume

_WORDS: tuple[tuple[Standing, str], ...] = (
    ("supported", "for"),
    ("refuted", "against"),
    ("undecided", "undecided"),
)


# What the figures of a claim are of, by its test and its unit.
_OF: dict[tuple[Kind, str], str] = {
    ("cost", "times"): "times the specialist's cost for a correct answer of the generalist",
    ("speed", "times"): "times the specialist's time (p50) for a call of the generalist",
    ("energy", "times"): "times the specialist's energy for a call of the generalist",
    ("score", "points"): "points (specialist less generalist)",
}


_WHICH: dict[Kind, str] = {"score": "in the pair that decides each task"}


class Interval(Struct, frozen=True, kw_only=True):
    """A figure with its 95 % interval, or with a range where it says so."""

    estimate: float
    low: float
    high: float


class Finding(Struct, frozen=True, kw_only=True):
    """What one pair, or one cell, says of a claim. `name` says which it is.

    `favour` ranks findings: the more, the more it speaks for the claim. By default, the figure.
    `of` says what the figure is measured by, where a claim leaves that open.
    """

    name: str
    standing: Standing
    text: str
    figure: Interval | None = None
    favour: float | None = None
    of: str | None = None

    @property
    def rank(self) -> float:
        if self.favour is not None:
            return self.favour
        return self.figure.estimate if self.figure else float("-inf")


def stand(interval: Interval, threshold: float) -> Standing:
    """Hold an interval against a threshold: wholly at or above it, wholly below, or neither."""
    if interval.low >= threshold:
        return "supported"
    return "refuted" if interval.high < threshold else "undecided"


def turned(standing: Standing) -> Standing:
    """Return what a figure says where less of it is better."""
    contrary: dict[Standing, Standing] = {"supported": "refuted", "refuted": "supported"}
    return contrary.get(standing, standing)


def together(standings: Iterable[Standing]) -> Standing:
    """Return what all of them say that can tell; undecided where they do not agree."""
    told: list[Standing] = [standing for standing in standings if standing != "not tested"]
    if not told:
        return "not tested"
    return told[0] if len(set(told)) == 1 else "undecided"


def of_task(task: str, findings: Sequence[Finding], nothing: str) -> TaskEvidence:
    """Return what a task's pairs or cells say together; `nothing` is the reason where none is."""
    told = [finding for finding in findings if finding.standing != "not tested"]
    if not told:
        reasons = dict.fromkeys(finding.text for finding in findings)
        return TaskEvidence(task=task, standing="not tested", text="; ".join(reasons) or nothing)
    least = min(told, key=_rank)
    figure = least.figure
    return TaskEvidence(
        task=task,
        standing=together(finding.standing for finding in told),
        text=_said(told, findings),
        estimate=figure.estimate if figure else None,
        low=figure.low if figure else None,
        high=figure.high if figure and isfinite(figure.high) else None,
        of=least.of,
    )


def of_claim(
    claim: Claim, evidence: tuple[TaskEvidence, ...], scope: str, remarks: Iterable[str] = ()
) -> ClaimResult:
    """Return a claim's standing by the tasks that could tell; `remarks` qualify the reason."""
    standing, reason = _judged(claim, evidence)
    return ClaimResult(
        id=claim.id,
        statement=claim.statement,
        rule=claim.said(claim.rule),
        standing=standing,
        reason="; ".join((reason, *_span(claim, evidence), *remarks)),
        scope=scope,
        unit=claim.unit,
        tasks=evidence,
        metric=claim.said(claim.metric),
        documents=claim.documents,
    )


def _judged(claim: Claim, evidence: Sequence[TaskEvidence]) -> tuple[Standing, str]:
    counts: Counter[Standing] = Counter(one.standing for one in evidence)
    n = len(evidence) - counts["not tested"]
    if n == 0:
        why = "; ".join(dict.fromkeys(one.text for one in evidence)) or "no task was measured"
        return "not tested", why
    said = _counted(evidence, counts, n)
    if n < claim.minimum_tasks:
        return "undecided", f"{said}; {claim.minimum_tasks} tasks are needed"
    if counts["supported"] > claim.share * n:
        return "supported", said
    # So many against that more than the share can no longer speak for it.
    if n - counts["refuted"] <= claim.share * n:
        return "refuted", said
    return "undecided", said


def _counted(evidence: Sequence[TaskEvidence], counts: Counter[Standing], n: int) -> str:
    said = (
        f"{counts['supported']} for, {counts['refuted']} against, "
        f"{counts['undecided']} undecided of {n} task{'' if n == 1 else 's'}"
    )
    against = [one.task for one in evidence if one.standing == "refuted"]
    if against and counts["supported"]:
        said += f" (against: {', '.join(against)})"
    untold = [one.task for one in evidence if one.standing == "not tested"]
    return said + (f"; could not tell: {', '.join(untold)}" if untold else "")


def _span(claim: Claim, evidence: Sequence[TaskEvidence]) -> tuple[str, ...]:
    """Say between which figures the tasks lie, each by the pair that is shown of it."""
    told = [(one.estimate, one.task) for one in evidence if one.estimate is not None]
    if not told:
        return ()
    (low, first), (high, last) = min(told), max(told)
    said, of = volume if claim.test == "break-even" else figure, _of(claim, evidence)
    least = _WHICH.get(claim.test, "in the pair of each task that speaks least for it")
    if first == last:
        return (f"{said(low)} {of} {least}",)
    return (f"{said(low)} ({first}) to {said(high)} ({last}) {of} {least}",)


def _of(claim: Claim, evidence: Sequence[TaskEvidence]) -> str:
    """Say what a claim's figures are of, and in which direction."""
    if claim.test != "efficiency":
        return _OF.get((claim.test, claim.unit), claim.unit)
    spent = dict.fromkeys(one.of for one in evidence if one.estimate is not None)
    named = [of for of in spent if of is not None]
    if not named:
        return claim.unit
    return f"times the generalist's score for the same {' or '.join(named)}"


def figure(value: float) -> str:
    """Return a figure to three digits, without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:.3g}"


def _said(told: Sequence[Finding], asked: Sequence[Finding]) -> str:
    least, most = min(told, key=_rank), max(told, key=_rank)
    if len(asked) == 1:
        return f"{least.name}: {least.text}"
    counts = Counter(finding.standing for finding in told)
    parts = [f"{counts[standing]} {word}" for standing, word in _WORDS if counts[standing]]
    untold = [finding for finding in asked if finding.standing == "not tested"]
    if untold:
        parts.append(f"{len(untold)} not tested ({untold[0].text})")
    said = f"of {len(asked)}: {', '.join(parts)}"
    if len({finding.text for finding in told}) == 1:
        return f"{said}; each: {least.text}"
    if least.rank == most.rank:
        each = "; ".join(f"{finding.name}: {finding.text}" for finding in told)
        return f"{said}; {each}"
    return f"{said}; least for it {least.name}: {least.text}; most {most.name}: {most.text}"


def _rank(finding: Finding) -> float:
    return finding.rank
