"""What a gate says: of one quantity, of one cell, of all; and what it was told to look for."""

from __future__ import annotations

from math import log1p
from typing import Literal

from msgspec import Struct

from steelyard.record import Recorded

SCHEMA = 1

# Absent: it was not measured, and the reason says why.
Status = Literal["ok", "regression", "inconclusive", "absent"]
Quantity = Literal["latency", "score", "memory", "size", "energy"]
Mode = Literal["blocks", "fast"]

QUANTITIES: tuple[Quantity, ...] = ("latency", "score", "memory", "size", "energy")


class Bounds(Struct, frozen=True, kw_only=True):
    """What is too much more, as shares of the baseline's figure.

    A change of `margin` is to be found or excluded: `ok` excludes it. No change up to `tolerated`
    is called a regression: that is shown to be beyond it.
    """

    tolerated: float
    margin: float

    @property
    def log_tolerated(self) -> float:
        return log1p(self.tolerated)

    @property
    def log_margin(self) -> float:
        return log1p(self.margin)


class Line(Recorded, frozen=True, kw_only=True):
    """One quantity of the candidate beside the baseline's.

    `estimate`, between `low` and `high` at `confidence`, is candidate over baseline; for the score
    it is candidate less baseline, turned so that more is better. `n` counts blocks, or items.
    `p_value` is of the null that the candidate is not worse than tolerated, all looks counted,
    `adjusted` after Holm over all lines. `detectable` is the least change that would have been
    found at the gate's power, `needed` about how many blocks would do where these did not.
    An `optional` line that is absent leaves the gate open.
    """

    quantity: Quantity
    status: Status
    unit: str
    baseline: float | None = None
    candidate: float | None = None
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    n: int | None = None
    p_value: float | None = None
    adjusted: float | None = None
    margin: float | None = None
    tolerated: float | None = None
    detectable: float | None = None
    spread: float | None = None
    needed: int | None = None
    test: str | None = None
    reason: str | None = None
    notes: tuple[str, ...] = ()
    optional: bool = False


class CellResult(Recorded, frozen=True, kw_only=True):
    """All lines of one cell. `cell` names the work, the arms' own cells stand beside it.

    `medians_ns` are the latency of each block, baseline and candidate; `lost` says why blocks were
    repeated.
    """

    cell: str
    baseline: str
    candidate: str
    lines: tuple[Line, ...]
    medians_ns: tuple[tuple[float, float], ...] = ()
    lost: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        return worst([line.status for line in self.lines if counts(line)])


class Result(Recorded, frozen=True, kw_only=True):
    """What a gate found; `looks` are the numbers of blocks after which it looked."""

    schema: int
    status: Status
    mode: Mode
    baseline: str
    candidate: str
    device: str
    machine: str
    started: str
    seconds: float
    alpha: float
    looks: tuple[int, ...]
    cells: tuple[CellResult, ...]
    notes: tuple[str, ...] = ()


def counts(line: Line) -> bool:
    """Tell whether a line decides: one that is optional and absent does not."""
    return line.status != "absent" or not line.optional


def worst(statuses: list[Status]) -> Status:
    """Return what several findings say together: a regression first, then what is missing."""
    order: tuple[Status, ...] = ("regression", "absent", "inconclusive")
    for one in order:
        if one in statuses:
            return one
    return "ok" if statuses else "absent"
