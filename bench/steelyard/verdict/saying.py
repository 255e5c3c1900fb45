"""Sentences on a pair and on a task: who wins, by how much, and what was not compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import structs

from steelyard.record import Cell
from steelyard.verdict import words
from steelyard.verdict.types import Verdict


def explained(verdict: Verdict) -> Verdict:
    """Return a verdict with its sentence."""
    return structs.replace(verdict, reason=words.pair(verdict))


def foremost(pairs: Sequence[Verdict], winners: Sequence[str]) -> Cell | None:
    """Return the winner that is furthest ahead of its closest opponent, the first of equals."""
    cells = {cell.id: cell for p in pairs for cell in (p.small, p.large) if cell.id in winners}
    ranked = sorted(winners, key=lambda cell: -_lead(pairs, cell))
    return cells[ranked[0]] if ranked else None


def reason(pairs: Sequence[Verdict], by: Cell | None, absences: Sequence[str]) -> str:
    """Return a task's sentence; `absences` says what could not be judged."""
    return ". ".join(_reason(pairs, by, absences)) + "."


def told(pairs: Sequence[Verdict], by: Cell | None) -> Verdict | None:
    """Return the pair that a task's sentence tells of, None where no answers were compared.

    The winner's with its closest opponent; without a winner that of the specialist furthest ahead
    with what it does not win over.
    """
    compared = [p for p in pairs if p.score.estimate is not None]
    if not compared:
        return None
    return _closest(compared, by) if by else _nearest_to_a_verdict(compared)


def _reason(pairs: Sequence[Verdict], by: Cell | None, absences: Sequence[str]) -> Iterator[str]:
    compared = [p for p in pairs if p.score.estimate is not None]
    shown = told(pairs, by)
    if shown:
        yield shown.reason
        if by and len(compared) > 1:
            yield _opponents(compared, by)
        if len(compared) > 1:
            yield words.tally(pairs)
        yield from (caveat for caveat in shown.caveats if _weighs(caveat))
    yield from dict.fromkeys(
        p.score.reason for p in pairs if p.score.status == "incomparable" and p.score.reason
    )
    yield from absences


def _closest(pairs: Sequence[Verdict], by: Cell) -> Verdict:
    """Return the winner's pair with its closest opponent."""
    own = [p for p in pairs if by in (p.small, p.large)]
    return min(own, key=lambda p: _estimate(p, by))


def _nearest_to_a_verdict(pairs: Sequence[Verdict]) -> Verdict:
    """Return the specialist furthest ahead of its closest opponent, in the pair that it lacks."""
    cells = dict.fromkeys(p.small for p in pairs)
    best = max(cells, key=lambda cell: _lead(pairs, cell.id))
    own = [p for p in pairs if p.small == best]
    open_ = [p for p in own if p.outcome != "wins"]
    return min(open_ or own, key=lambda p: _estimate(p, best))


def _opponents(pairs: Sequence[Verdict], by: Cell) -> str:
    own = [p for p in pairs if by in (p.small, p.large)]
    large = own[0].large == by
    others = "specialist" if large else "generalist"
    if len(own) == 1:
        return f"{by.name} wins over the only {others} that answered"
    closest = _closest(pairs, by)
    nearest = (closest.small if large else closest.large).name
    return (
        f"{by.name} wins over each of the {len(own)} {others}s that answered, of which "
        f"{nearest} comes closest"
    )


def _lead(pairs: Sequence[Verdict], cell: str) -> float:
    own = [p for p in pairs if cell in (p.small.id, p.large.id) and p.score.estimate is not None]
    return min((_estimate(p, p.small if p.small.id == cell else p.large) for p in own), default=-1)


def _estimate(pair: Verdict, cell: Cell) -> float:
    estimate = pair.score.estimate or 0.0
    return estimate if pair.small == cell else -estimate


def _weighs(caveat: str) -> bool:
    """Tell whether a caveat belongs into the first line."""
    return "baseline" in caveat or "unlike machines" in caveat
