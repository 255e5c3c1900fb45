"""The rule by which a pair, and a task, is won, lost or left undecided."""

from __future__ import annotations

from collections.abc import Sequence

from steelyard.verdict.score import Scored
from steelyard.verdict.types import Comparison, Outcome, Verdict

RULE = (
    "A pair is a specialist (small) and a generalist (large) on the items that both answered. "
    "First the answers: the one with the better score wins. Where neither is shown to be better, "
    "or only by less than the task's margin, the one that is shown not to be worse by the margin "
    "or more wins if it needs less: at least one of latency (p50), peak memory and measured energy "
    "better by more than 5 %, and none of them worse. Else the pair is undecided: few items "
    "end in undecided, not in a draw. The rule is the same read from either "
    "side. Size, cost and modelled energy are shown and decide nothing: size goes with memory, "
    "cost rests on assumed prices, modelled energy on processor time. A task is won where one "
    "specialist wins over every generalist that answered, lost where one generalist wins over "
    "every specialist that answered. Baselines are not judged."
)
FAMILY = (
    "Scores: exact McNemar where the metric is accuracy, else a paired bootstrap over items "
    "(10,000 draws). Not worse by the margin: the larger of Agresti-Min's and Tango's one-sided "
    "p-values, or the share of draws beyond the margin. Level 5 %, adjusted by Holm over the "
    "pairs of a task, each kind of finding (different; small not worse; large not worse) apart. "
    "Intervals are 95 % of one pair, not adjusted. Latency, memory and energy are one process "
    "each: their intervals leave out how processes differ, hence the 5 %."
)


def outcome(score: Scored, resources: Sequence[Comparison]) -> Outcome:
    """Return a pair's outcome, from the small one's side; swapping the sides mirrors it."""
    if score.comparison.status == "better":
        return "wins"
    if score.comparison.status == "worse":
        return "loses"
    deciding = [one.status for one in resources if one.decides]
    less = "better" in deciding and "worse" not in deciding
    more = "worse" in deciding and "better" not in deciding
    if score.small_keeps_up and less:
        return "wins"
    return "loses" if score.large_keeps_up and more else "undecided"


def together(pairs: Sequence[Verdict], answered: frozenset[str]) -> tuple[Outcome, tuple[str, ...]]:
    """Return a task's outcome and the ids of the cells that won it, in the order of the pairs.

    A cell that is not in `answered` is no opponent; one whose answers cannot be compared is one
    that nobody wins over.
    """
    judged = [p for p in pairs if p.small.id in answered and p.large.id in answered]
    small = _winners([(p.small.id, p.outcome == "wins") for p in judged])
    if small:
        return "wins", small
    large = _winners([(p.large.id, p.outcome == "loses") for p in judged])
    return ("loses", large) if large else ("undecided", ())


def _winners(results: Sequence[tuple[str, bool]]) -> tuple[str, ...]:
    """Return those that won all of their pairs."""
    cells = dict.fromkeys(cell for cell, _ in results)
    return tuple(cell for cell in cells if all(won for name, won in results if name == cell))
