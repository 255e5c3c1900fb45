"""One quantity of two arms -> a line; what was measured is given, nothing is measured. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

from msgspec import structs

from steelyard import stats
from steelyard.gate.paired import Block, medians, ratios
from steelyard.gate.sequence import ALPHA, Looks, blocks_needed, detectable, find
from steelyard.gate.types import Bounds, Line, Quantity
from steelyard.verdict.answers import Contrast

UNITS: dict[Quantity, str] = {
    "latency": "ns", "score": "score", "memory": "B", "size": "B", "energy": "J",
}  # fmt: skip
PAIRED = "Student's t of ln(candidate / baseline) over blocks of fresh processes"
EXACT = "bytes on disk, exact"
UNCHANGED = "not one answer changed"


def absent(quantity: Quantity, reason: str, *, optional: bool = False) -> Line:
    """Return the line of what was not measured."""
    return Line(
        quantity=quantity, status="absent", unit=UNITS[quantity], reason=reason, optional=optional
    )


def over_blocks(
    quantity: Quantity, blocks: Sequence[Block[float]], bounds: Bounds, looks: Looks
) -> Line:
    """Judge a quantity of which less is better, as if it were the only one."""
    found = find(ratios(blocks), bounds, looks)
    theirs, ours = medians(blocks)
    line = Line(
        quantity=quantity,
        status="ok" if found.p_fine <= ALPHA else "inconclusive",
        unit=UNITS[quantity],
        baseline=theirs,
        candidate=ours,
        estimate=exp(found.mean),
        low=exp(found.low),
        high=exp(found.high),
        confidence=found.confidence,
        n=found.n,
        p_value=found.p_slow,
        margin=bounds.margin,
        tolerated=bounds.tolerated,
        detectable=detectable(found, bounds),
        spread=found.spread,
        test=PAIRED,
    )
    return structs.replace(line, needed=blocks_needed(found.spread, bounds))


def of_size(theirs: int, ours: int, bounds: Bounds) -> Line:
    """Judge bytes on disk, which have no noise: beyond the margin is beyond it."""
    if theirs < 1:
        return absent("size", "the baseline's artefact is empty: no ratio")
    ratio = ours / theirs
    return Line(
        quantity="size",
        status="regression" if ratio > 1 + bounds.margin else "ok",
        unit=UNITS["size"],
        baseline=theirs,
        candidate=ours,
        estimate=ratio,
        margin=bounds.margin,
        test=EXACT,
    )


def of_score(found: Contrast, margin: float, metric: str, flips: int) -> Line:
    """Judge the answers to the same items: ok where a loss of the margin is excluded.

    Or where no answer changed at all: however few the items, nothing speaks for a change then,
    and what they could have missed is said.
    """
    lost = found.difference.estimate < 0
    fine = found.p_small_worse <= stats.ALPHA or flips == 0
    return Line(
        quantity="score",
        status="ok" if fine else "inconclusive",
        unit=metric,
        baseline=found.large,
        candidate=found.small,
        estimate=found.difference.estimate,
        low=found.difference.low,
        high=found.difference.high,
        confidence=stats.CONFIDENCE,
        n=found.n,
        # One-sided, of no loss.
        p_value=found.p_equal / 2 if lost else 1.0,
        margin=margin,
        tolerated=0.0,
        detectable=found.detectable,
        needed=found.items_for_margin,
        test=found.test,
        reason=UNCHANGED if flips == 0 else None,
        notes=(f"{flips} of {found.n} answers changed",) if flips else (),
    )


def together(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Adjust over all lines that were tested (Holm), and call those that are shown regressions.

    `ok` needs no adjustment: the gate is open only where all lines are (an intersection of unions,
    Berger 1982).
    """
    tested = [place for place, line in enumerate(lines) if line.p_value is not None]
    adjusted = stats.holm([lines[place].p_value or 0.0 for place in tested])
    found = list(lines)
    for place, p in zip(tested, adjusted, strict=True):
        line = structs.replace(lines[place], adjusted=p)
        if line.status != "ok" and p <= ALPHA:
            line = structs.replace(line, status="regression")
        found[place] = line
    return tuple(found)
