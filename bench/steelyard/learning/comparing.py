"""All draws of one size beside a generalist: what every one of them shows, adjusted by Holm."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, structs

from steelyard import stats
from steelyard.learning.types import Against
from steelyard.record import Cell
from steelyard.verdict.answers import Contrast, Reweigh, Terms, contrast
from steelyard.verdict.matching import Pair, Side, unfit
from steelyard.verdict.types import Status


class Bout(Struct, frozen=True, kw_only=True):
    """A size's draws with answers, to be set beside a generalist on these items at most."""

    draws: tuple[Side, ...]
    generalist: Side
    items: tuple[str, ...]

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """A pair a draw, on the items that all draws and the generalist answered."""
        return tuple(
            Pair(small=self._cut(draw), large=self._cut(self.generalist)) for draw in self.draws
        )

    @property
    def unfit(self) -> str | None:
        """Why some draw and the generalist cannot be set against each other, or None."""
        for draw in self.draws:
            said = unfit(Pair(small=draw, large=self.generalist))
            if said is not None:
                return said
        if not any(item in self.generalist.answers for item in self.items):
            return "they were asked no item in common with the other points of the curve"
        return None

    def _cut(self, one: Side) -> Side:
        answers = {item: one.answers[item] for item in self.items if item in one.answers}
        return structs.replace(one, answers=answers)


class Shown(Struct, frozen=True, kw_only=True):
    """What the draws of one size show, a contrast each, before any adjustment."""

    generalist: Cell
    contrasts: tuple[Contrast, ...]

    @property
    def p_differs(self) -> float:
        """Return the p-value that some draw is as good as the generalist, or on its other side.

        An intersection-union test (Berger 1982): the largest p-value of the draws, each at the
        full level. Draws that do not all lie on one side show no difference.
        """
        ends = [one.difference.estimate for one in self.contrasts]
        one_sided = min(ends) > 0 or max(ends) < 0
        return max(one.p_equal for one in self.contrasts) if one_sided else 1.0

    @property
    def p_worse(self) -> float:
        """Return the p-value that some draw is worse by the margin or more."""
        return max(one.p_small_worse for one in self.contrasts)

    @property
    def p_not_behind(self) -> float:
        """Return the p-value that the generalist is behind some draw by the margin or more."""
        return max(one.p_large_worse for one in self.contrasts)


def shown(bout: Bout, terms: Terms, reweigh: Reweigh | None) -> Shown | Against:
    """Return what the draws of a bout show, or that they cannot be compared and why."""
    cell = bout.generalist.record.cell
    found = bout.unfit
    if found is not None:
        return Against(generalist=cell, status="incomparable", reason=found)
    made = [contrast(pair, terms, reweigh) for pair in bout.pairs]
    contrasts = tuple(one for one in made if isinstance(one, Contrast))
    if len(contrasts) < len(made):
        reason = next(one for one in made if isinstance(one, str))
        return Against(generalist=cell, status="incomparable", reason=reason)
    return Shown(generalist=cell, contrasts=contrasts)


def judged(found: Sequence[Shown | Against]) -> tuple[Against, ...]:
    """Judge a family of bouts, in the order given: each kind of finding is adjusted over all."""
    tried = [one for one in found if isinstance(one, Shown)]
    adjusted = zip(
        stats.holm([one.p_differs for one in tried]),
        stats.holm([one.p_worse for one in tried]),
        stats.holm([one.p_not_behind for one in tried]),
        strict=True,
    )
    return tuple(
        one if isinstance(one, Against) else _judged(one, *next(adjusted)) for one in found
    )


def _judged(one: Shown, differs: float, worse: float, not_behind: float) -> Against:
    ends = [contrast.difference.estimate for contrast in one.contrasts]
    ahead = max(ends) > 0 and not_behind > stats.ALPHA
    status = _status(differs, worse, ahead=ahead)
    known = [c.detectable for c in one.contrasts if c.detectable is not None]
    return Against(
        generalist=one.generalist,
        status=status,
        n=one.contrasts[0].n,
        estimate=sum(ends) / len(ends),
        least=min(ends),
        most=max(ends),
        adjusted=worse if status == "same" else differs,
        detectable=max(known) if len(known) == len(one.contrasts) else None,
    )


def _status(differs: float, worse: float, *, ahead: bool) -> Status:
    """Return the status, as the verdict has it: better only where not within the margin."""
    if differs <= stats.ALPHA and ahead:
        return "better"
    if worse <= stats.ALPHA:
        return "same"
    return "worse" if differs <= stats.ALPHA else "undecided"
