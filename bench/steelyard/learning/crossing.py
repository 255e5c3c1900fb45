"""From how many labels on: the least size such that it and every larger one keeps up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from steelyard.learning.types import KEEPS_UP, Against, Learned, Step
from steelyard.record import Cell
from steelyard.verdict.types import Status


def learned(steps: Sequence[Step]) -> tuple[Learned, ...]:
    """Return what a curve says of each generalist that any of its steps was set beside.

    Steps come in the order of their sizes. One that was not measured says nothing either way; one
    that could not be compared keeps up with nobody.
    """
    bouts: dict[Cell, list[tuple[int, Against]]] = {}
    for step in steps:
        for against in step.against:
            bouts.setdefault(against.generalist, []).append((step.size or 0, against))
    return tuple(
        Learned(
            generalist=generalist,
            better_from=since(found, ("better",)),
            keeps_up_from=since(found, KEEPS_UP),
            labels=found[-1][0],
            last=found[-1][1],
        )
        for generalist, found in bouts.items()
    )


def since(found: Iterable[tuple[int, Against]], wanted: Sequence[Status]) -> int | None:
    """Return the least size from which every status is a wanted one; None where the last is not."""
    start: int | None = None
    for size, against in found:
        if against.status not in wanted:
            start = None
        elif start is None:
            start = size
    return start
