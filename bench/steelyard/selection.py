"""Choose among a task's measured cells: which meet all limits, and which of these to use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf

from msgspec import Struct

from steelyard.demands import Bound, Figure, Standing
from steelyard.errors import OptionError, Refusal
from steelyard.record import Cell
from steelyard.record_figures import MODELLED, tier
from steelyard.report import joules
from steelyard.report.fits import PeakBelow, RunsIn
from steelyard.report.rows import Percentile, Row, TaskTable
from steelyard.stats import Quantile

_RULE = (
    "of the models that meet every limit, those that do beyond doubt before those that do by their "
    "estimate only; then the {} of the score's 95 % interval, then the lowest p50, then the "
    "smallest"
)
# By whether more of the score is better.
RULES = {True: _RULE.format("highest lower end"), False: _RULE.format("lowest upper end")}
MEASURED = ("ok", "invalid")


class Limits(Struct, frozen=True, kw_only=True):
    """What a user can ask of a model on a task, and of which device alone.

    `max_score` is for metrics of which less is better, `min_score` for the others.
    """

    min_score: float | None = None
    max_score: float | None = None
    max_p50_ns: float | None = None
    max_p99_ns: float | None = None
    max_memory_bytes: float | None = None
    max_size_bytes: float | None = None
    max_energy_j: float | None = None
    device: str | None = None


class Finding(Struct, frozen=True, kw_only=True):
    """Whether one cell meets one limit; `miss` is by what share of the limit it does not.

    `figure` is None where the quantity was not measured, and `reason` says why; else `reason`, if
    there is one, says what the figure is of.
    """

    name: str
    unit: str
    limit: float
    standing: Standing
    at_least: bool = False
    figure: Figure | None = None
    miss: float | None = None
    reason: str | None = None


class Candidate(Struct, frozen=True, kw_only=True):
    """A cell held against all limits. `score` is its own, on the items that it was asked."""

    cell: Cell
    role: str
    score: Figure | None
    n: int | None
    p50_ns: float | None
    size_bytes: int | None
    findings: tuple[Finding, ...]

    @property
    def name(self) -> str:
        """Say which model in which variant on which device."""
        return f"{self.cell.name} on {self.cell.device}"

    @property
    def unmet(self) -> tuple[Finding, ...]:
        """The limits that it does not meet, or that nothing measured says it meets."""
        return tuple(one for one in self.findings if one.standing in {"fails", "not measured"})

    @property
    def doubtful(self) -> tuple[Finding, ...]:
        """The limits that it meets by its estimate, not by the whole interval."""
        return tuple(one for one in self.findings if one.standing == "doubtful")


class Obstacle(Struct, frozen=True, kw_only=True):
    """A limit with the number of cells that meet it, and the cell that comes nearest.

    `nearest` is None where no cell was measured in that.
    """

    name: str
    met_by: int
    nearest: str | None = None
    finding: Finding | None = None


class Selection(Struct, frozen=True, kw_only=True):
    """The cell to use, or None, and how each one stands, the best first."""

    task: str
    higher_is_better: bool
    limits: Limits
    chosen: Candidate | None
    candidates: tuple[Candidate, ...]
    obstacles: tuple[Obstacle, ...]
    unmeasured: tuple[tuple[str, str], ...] = ()

    @property
    def nearest(self) -> Candidate | None:
        """The cell with the least that was not measured, and then with the least greatest miss."""
        return min(self.candidates, key=_distance, default=None)


def choose(table: TaskTable, limits: Limits) -> Selection:
    """Return which cell of a task to use under `limits`; all of them are kept, by RULES' order.

    Raises Refusal where nothing says whether more of the score is better, OptionError for a limit
    on the wrong side of it.
    """
    higher = _direction(table, limits)
    rows = [row for row in table.rows if limits.device in {None, row.cell.device}]
    tried = [_candidate(row, limits) for row in rows if row.outcome in MEASURED]
    ordered = tuple(sorted(tried, key=lambda one: _order(one, higher=higher)))
    names = [finding.name for finding in ordered[0].findings] if ordered else []
    return Selection(
        task=table.task,
        higher_is_better=higher,
        limits=limits,
        chosen=next((one for one in ordered if not one.unmet and one.score), None),
        candidates=ordered,
        obstacles=tuple(_obstacle(name, ordered) for name in names),
        unmeasured=tuple(
            (row.cell.id, f"{row.outcome}: {row.reason or 'no reason was kept'}")
            for row in rows
            if row.outcome not in MEASURED
        ),
    )


def _direction(table: TaskTable, limits: Limits) -> bool:
    higher = table.higher_is_better
    metric = next((row.metric for row in table.rows), "its score")
    if higher is None:
        raise Refusal(
            f"task '{table.task}': no card says whether more {metric} is better; "
            "give --cards with the one that it was measured with"
        )
    if not higher and limits.min_score is not None:
        raise OptionError(f"less {metric} is better: ask with --max-score, not --min-score")
    if higher and limits.max_score is not None:
        raise OptionError(f"more {metric} is better: ask with --min-score, not --max-score")
    return higher


def _candidate(row: Row, limits: Limits) -> Candidate:
    p50 = row.p50_ns
    return Candidate(
        cell=row.cell,
        role=row.role,
        score=_score(row),
        n=row.score.n if row.score else None,
        p50_ns=p50.value if isinstance(p50, Quantile) and row.timed_validly else None,
        size_bytes=row.size_bytes,
        findings=tuple(_findings(row, limits)),
    )


def _findings(row: Row, limits: Limits) -> Iterator[Finding]:
    asked: tuple[tuple[str, str, float | None, Callable[[Row], Figure | str]], ...] = (
        ("p50", "ns", limits.max_p50_ns, lambda row: _time(row, row.p50_ns)),
        ("p99", "ns", limits.max_p99_ns, lambda row: _time(row, row.p99_ns)),
        ("size", "B", limits.max_size_bytes, _size),
        ("energy", "J", limits.max_energy_j, _energy),
    )
    wanted = limits.max_score if limits.min_score is None else limits.min_score
    if wanted is not None:
        bound = Bound(limit=wanted, at_least=limits.min_score is not None)
        yield _finding("score", "1", bound, _score(row) or "no score was kept")
    for name, unit, limit, read in asked:
        if limit is not None:
            yield _finding(name, unit, Bound(limit=limit), read(row))
    if limits.max_memory_bytes is not None:
        yield _memory(row, limits.max_memory_bytes)


def _finding(name: str, unit: str, bound: Bound, found: Figure | str) -> Finding:
    """Return a limit held against a figure, or against the reason why there is none."""
    if isinstance(found, str):
        return Finding(
            name=name,
            unit=unit,
            limit=bound.limit,
            standing="not measured",
            at_least=bound.at_least,
            reason=found,
        )
    return Finding(
        name=name,
        unit=unit,
        limit=bound.limit,
        standing=bound.standing(found),
        at_least=bound.at_least,
        figure=found,
        miss=bound.miss(found),
    )


def _score(row: Row) -> Figure | None:
    """Return a score with its interval; without one nothing about it is beyond doubt."""
    score = row.score
    if score is None:
        return None
    known = score.low is not None and score.high is not None
    return Figure(
        value=score.value,
        low=score.low if known and score.low is not None else -inf,
        high=score.high if known and score.high is not None else inf,
    )


def _time(row: Row, percentile: Percentile | None) -> Figure | str:
    if not row.timed_validly:
        return "no window of its latency was valid"
    if percentile is None:
        return "latency was not measured"
    if not isinstance(percentile, Quantile):
        return percentile.reason
    return Figure(value=percentile.value, low=percentile.low, high=percentile.high)


def _size(row: Row) -> Figure | str:
    return "no artefact" if row.size_bytes is None else Figure.exact(row.size_bytes)


def _energy(row: Row) -> Figure | str:
    """Return the gross energy of a call; a model's figure passes no limit (measuring.md)."""
    reading = joules.best(row.energy)
    if reading is None or reading.gross_j is None:
        reasons = [*(one.absent for one in row.energy if one.absent), *row.no_energy]
        return "; ".join(reasons) or "energy was not measured"
    if tier(reading) == MODELLED:
        return "energy is modelled, which passes no limit"
    expanded = reading.gross_u_j or 0.0
    return Figure(
        value=reading.gross_j, low=reading.gross_j - expanded, high=reading.gross_j + expanded
    )


def _memory(row: Row, limit: float) -> Finding:
    """Return what is known of memory: a run that was held to it says more than a peak."""
    fitting = row.fits_in
    refuted = fitting.too_small.bytes if fitting and fitting.too_small else None
    if refuted is not None and refuted >= limit:
        figure, reason = Figure.exact(refuted), "ran out of memory when held to this"
        return Finding(
            name="memory", unit="B", limit=limit, standing="fails", figure=figure,
            miss=Bound(limit=limit).miss(figure), reason=reason,
        )  # fmt: skip
    if isinstance(fitting, RunsIn) and fitting.limit.bytes > limit:
        held = "it ran when held to more, which says nothing of less; run it with --memory-limit"
        return _finding("memory", "B", Bound(limit=limit), held)
    if isinstance(fitting, RunsIn):
        figure, reason = Figure.exact(fitting.limit.bytes), "ran when held to this"
    elif isinstance(fitting, PeakBelow):
        figure, reason = Figure.exact(fitting.peak), "peak of a run without a limit"
    else:
        return _finding("memory", "B", Bound(limit=limit), "memory was not measured")
    found = _finding("memory", "B", Bound(limit=limit), figure)
    return Finding(
        name=found.name, unit=found.unit, limit=found.limit, standing=found.standing,
        figure=figure, miss=found.miss, reason=reason,
    )  # fmt: skip


def _obstacle(name: str, candidates: tuple[Candidate, ...]) -> Obstacle:
    pairs = [
        (candidate, finding)
        for candidate in candidates
        for finding in candidate.findings
        if finding.name == name
    ]
    known = [pair for pair in pairs if pair[1].miss is not None]
    nearest = min(known, key=lambda pair: pair[1].miss or 0.0, default=None)
    return Obstacle(
        name=name,
        met_by=sum(finding.standing in {"meets", "doubtful"} for _, finding in pairs),
        nearest=nearest[0].name if nearest else None,
        finding=nearest[1] if nearest else pairs[0][1],
    )


def _order(one: Candidate, *, higher: bool) -> tuple[bool, bool, float, float, float, str]:
    score = one.score or Figure(value=0.0, low=-inf, high=inf)
    return (
        bool(one.unmet),
        not one.unmet and bool(one.doubtful),
        -score.low if higher else score.high,
        inf if one.p50_ns is None else one.p50_ns,
        inf if one.size_bytes is None else one.size_bytes,
        one.cell.id,
    )


def _distance(one: Candidate) -> tuple[int, float, int, str]:
    """Return how far a cell is from meeting all: what was not measured first, then the worst."""
    known = [finding.miss for finding in one.unmet if finding.miss is not None]
    unknown = len(one.unmet) - len(known)
    return unknown, max(known, default=0.0), len(known), one.cell.id
