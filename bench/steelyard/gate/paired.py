"""One pass of each arm, side by side: what a block holds, and its ratio. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from statistics import median
from typing import Generic, TypeVar

from msgspec import Struct

Value = TypeVar("Value")


class Block(Struct, Generic[Value], frozen=True, kw_only=True):
    """What one pass of each arm gave."""

    baseline: Value
    candidate: Value


def halves(block: Block[tuple[int, ...]]) -> Block[float]:
    """Return the medians of both arms' calls, in nanoseconds."""
    return Block(baseline=float(median(block.baseline)), candidate=float(median(block.candidate)))


def ratios(blocks: Sequence[Block[float]]) -> list[float]:
    """Return ln(candidate / baseline) of each block."""
    return [log(block.candidate / block.baseline) for block in blocks]


def medians(blocks: Sequence[Block[float]]) -> tuple[float, float]:
    """Return the median over blocks of the baseline's and of the candidate's figure."""
    return (
        median(block.baseline for block in blocks),
        median(block.candidate for block in blocks),
    )
