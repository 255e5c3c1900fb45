"""The scores of a task's pairs: one family of tests, adjusted by Holm -> better, same, worse."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from steelyard import stats
from steelyard.verdict import words
from steelyard.verdict.answers import Contrast, Terms
from steelyard.verdict.types import Comparison, Status


class Scored(Struct, frozen=True, kw_only=True):
    """A comparison of scores, and whether each side is shown not to be worse by the margin."""

    comparison: Comparison
    small_keeps_up: bool = False
    large_keeps_up: bool = False


class _Adjusted(Struct, frozen=True, kw_only=True):
    """A contrast's p-values after Holm."""

    equal: float
    small_worse: float
    large_worse: float


def score(contrasts: Sequence[Contrast], terms: Terms, metric: str) -> tuple[Scored, ...]:
    """Judge a family of contrasts: each kind of finding is adjusted over all of them.

    The kinds (a difference; the small one not worse; the large one not worse) are adjusted apart.
    Taking the smallest of a pair's p-values into one Holm family would not hold its level: a pair
    settled by one finding would free the level for the others while its other null, which may be
    the true one, has had its chance.
    """
    adjusted = zip(
        stats.holm([one.p_equal for one in contrasts]),
        stats.holm([one.p_small_worse for one in contrasts]),
        stats.holm([one.p_large_worse for one in contrasts]),
        strict=True,
    )
    return tuple(
        _scored(one, _Adjusted(equal=equal, small_worse=small, large_worse=large), terms, metric)
        for one, (equal, small, large) in zip(contrasts, adjusted, strict=True)
    )


def incomparable(metric: str, margin: float, reason: str, status: Status) -> Scored:
    """Return what is said of scores that could not be compared."""
    return Scored(
        comparison=Comparison(
            quantity="score", status=status, unit=metric, margin=margin, reason=reason
        )
    )


def _scored(one: Contrast, adjusted: _Adjusted, terms: Terms, metric: str) -> Scored:
    status = _status(one, adjusted)
    by_margin = status == "same"
    return Scored(
        comparison=Comparison(
            quantity="score",
            status=status,
            unit=metric,
            small=one.small,
            large=one.large,
            estimate=one.difference.estimate,
            low=one.difference.low,
            high=one.difference.high,
            n=one.n,
            test=one.test,
            margin=terms.margin,
            p_value=one.p_small_worse if by_margin else one.p_equal,
            p_equal=one.p_equal,
            adjusted=adjusted.small_worse if by_margin else adjusted.equal,
            detectable=one.detectable,
            reason=_undecided(one, terms, metric) if status == "undecided" else None,
        ),
        small_keeps_up=adjusted.small_worse <= stats.ALPHA,
        large_keeps_up=adjusted.large_worse <= stats.ALPHA,
    )


def _status(one: Contrast, adjusted: _Adjusted) -> Status:
    """Return the small one's status: better or worse only where not shown to be within the margin.

    The other side's status is then the mirror of it.
    """
    differs = adjusted.equal <= stats.ALPHA
    if differs and one.difference.estimate > 0 and adjusted.large_worse > stats.ALPHA:
        return "better"
    if adjusted.small_worse <= stats.ALPHA:
        return "same"
    return "worse" if differs and one.difference.estimate < 0 else "undecided"


def _undecided(one: Contrast, terms: Terms, metric: str) -> str:
    """Say what these items could have shown, and how many would do."""
    shown = (
        f"{one.n} items show a difference of {words.amount(one.detectable, metric)} or more"
        if one.detectable is not None
        else f"{one.n} items show no difference whatever it is"
    )
    many = "pair" if terms.family == 1 else "pairs"
    return (
        f"{shown} ({100 * stats.POWER:g} % power, level {terms.alpha:.2g} for {terms.family} "
        f"{many}); to show equals within {words.amount(terms.margin, metric)} of each other takes "
        f"about {words.rounded(one.items_for_margin)} items"
    )
