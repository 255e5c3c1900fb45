"""Two records of one task -> a cascade: what calls take, the threshold, what to expect of it."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from steelyard.cascade.evaluation import Fitted, evaluate
from steelyard.cascade.frontier import nearest, pareto, slowest
from steelyard.cascade.mixture import Budget, Expense
from steelyard.cascade.pairing import Material, material
from steelyard.cascade.spending import Terms, spent
from steelyard.cascade.types import Cascade, Judged, Share, Wanted
from steelyard.demands import Bound, Figure
from steelyard.energy import Absent
from steelyard.errors import Refusal, StoreError
from steelyard.record import Record
from steelyard.verdict.matching import Pair

# Below this the table says that intervals are wide.
MANY = 300


def make(pair: Pair, labels: tuple[str, ...], terms: Terms) -> Cascade:
    """Return the cascade of a pair; `labels` are the task's, in the order of the scores.

    Raises StoreError where the records do not fit together, Refusal where a limit is on what was
    not measured.
    """
    specialist, generalist = pair.small, pair.large
    _check(specialist.record, generalist.record)
    budget = spent(pair, terms)
    _check_measured(terms.wanted, budget, specialist.record)
    found = material(specialist.answers, generalist.answers, labels)
    fitted = evaluate(found, budget, terms.wanted)
    return Cascade(
        task=specialist.record.cell.task,
        specialist=specialist.record.cell,
        generalist=generalist.record.cell,
        wanted=terms.wanted,
        calibrated=fitted.calibrated,
        frontier=pareto(fitted.points),
        nearest=fitted.chosen or nearest(fitted.points, terms.wanted),
        expected=fitted.expected,
        chosen=fitted.chosen,
        judged=tuple(_judged(fitted, budget, terms.wanted)),
        round_trip_ns=terms.round_trip_ns,
        currency=budget.currency,
        absent=tuple(_absent(budget, fitted)),
        caveats=tuple(_caveats(pair, found, budget)),
    )


def _check(specialist: Record, generalist: Record) -> None:
    """Refuse two records that are not of the same items."""
    if specialist.cell.task != generalist.cell.task:
        raise StoreError(f"{specialist.cell.id} and {generalist.cell.id}: not of one task")
    if specialist.data_sha256 is None or specialist.data_sha256 != generalist.data_sha256:
        raise StoreError(
            f"{specialist.cell.id} and {generalist.cell.id}: measured on different data; "
            "run both again with the same version"
        )


def _check_measured(wanted: Wanted, budget: Budget, specialist: Record) -> None:
    """Refuse a limit that nothing measured can meet."""
    if specialist.metric != "accuracy" and wanted.min_score is not None:
        raise Refusal(
            f"the task's metric is {specialist.metric}; a cascade is judged by accuracy only: "
            "leave --min-score out"
        )
    asked = (
        ("--max-latency", wanted.max_latency_ns, budget.latency),
        ("--max-p99", wanted.max_p99_ns, budget.tail),
        ("--max-energy", wanted.max_energy_j, budget.energy),
        ("--max-cost", wanted.max_cost, budget.cost),
    )
    for option, limit, known in asked:
        if limit is not None and isinstance(known, Absent):
            raise Refusal(f"{option} cannot be judged: {known.reason}")
    modelled = isinstance(budget.energy, Expense) and budget.energy.modelled
    if wanted.max_energy_j is not None and modelled:
        raise Refusal("--max-energy cannot be judged: energy is modelled, which passes no limit")


def _judged(fitted: Fitted, budget: Budget, wanted: Wanted) -> Iterator[Judged]:
    """Hold what was asked against items that the threshold has not seen."""
    expected = fitted.expected
    escalated = expected.escalated
    shares = (
        ("accuracy", wanted.min_score, expected.accuracy, True),
        ("escalated", wanted.max_escalated, escalated, False),
    )
    for name, limit, share, at_least in shares:
        if limit is not None:
            figure = Figure(value=share.value, low=share.low, high=share.high)
            yield _one(name, "1", Bound(limit=limit, at_least=at_least), figure)
    means = (
        ("mean latency", "ns", wanted.max_latency_ns, budget.latency),
        ("energy", "J", wanted.max_energy_j, budget.energy),
        ("cost of 1,000 calls", budget.currency or "", wanted.max_cost, budget.cost),
    )
    for name, unit, limit, expense in means:
        if limit is not None and isinstance(expense, Expense):
            yield _one(name, unit, Bound(limit=limit), _mean(expense, escalated))
    if wanted.max_p99_ns is not None:
        yield _one("p99", "ns", Bound(limit=wanted.max_p99_ns), _slow(budget, escalated))


def _one(name: str, unit: str, bound: Bound, figure: Figure | None) -> Judged:
    if figure is None:
        return Judged(name=name, unit=unit, limit=bound.limit, standing="not measured")
    return Judged(
        name=name,
        unit=unit,
        limit=bound.limit,
        standing=bound.standing(figure),
        at_least=bound.at_least,
        value=figure.value,
        low=figure.low,
        high=figure.high if isfinite(figure.high) else None,
    )


def _mean(expense: Expense, escalated: Share) -> Figure:
    """Return a mixture's mean; its interval is that of the share escalated, and uncertainties."""
    return Figure(
        value=expense.mixed(escalated.value),
        low=expense.mixed(escalated.low) - expense.uncertainty(escalated.low),
        high=expense.mixed(escalated.high) + expense.uncertainty(escalated.high),
    )


def _slow(budget: Budget, escalated: Share) -> Figure | None:
    shares = (escalated.value, escalated.low, escalated.high)
    value, low, high = (slowest(budget, share) for share in shares)
    if isinstance(value, Absent):
        return None
    return Figure(
        value=value,
        low=value if isinstance(low, Absent) else low,
        high=float("inf") if isinstance(high, Absent) else high,
    )


def _absent(budget: Budget, fitted: Fitted) -> Iterator[tuple[str, str]]:
    for name, known in (("latency", budget.latency), ("energy", budget.energy)):
        if isinstance(known, Absent):
            yield name, known.reason
    if isinstance(budget.cost, Absent):
        yield "cost", budget.cost.reason
    p99 = slowest(budget, fitted.expected.escalated.value)
    if isinstance(p99, Absent):
        yield "p99", p99.reason


def _caveats(pair: Pair, found: Material, budget: Budget) -> Iterator[str]:
    ours, theirs = pair.small.record, pair.large.record
    if ours.metric != "accuracy":
        yield f"judged by accuracy, though the task's metric is {ours.metric}"
    if not pair.hosts.alike:
        yield (
            "measured on unlike machines: latency and energy are of these two, not of the models; "
            "--round-trip adds the way between them"
        )
    if ours.task_sha256 != theirs.task_sha256:
        yield "the task's card changed between the two runs; the items are the same"
    if len(found.common.ids) < MANY:
        yield (
            f"only {len(found.common.ids)} items were asked of both: intervals are as wide as that"
        )
    yield from budget.notes
