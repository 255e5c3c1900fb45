"""What the HTML report is made from, and the plots in it before they are drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from steelyard.claims.types import Ledger
from steelyard.cost import CostReport
from steelyard.learning import TaskCurves
from steelyard.record import RunFile
from steelyard.report.rows import TaskTable

Scale = Literal["log", "linear"]
# What an axis counts; tick labels get SI prefixes before it.
Unit = Literal["s", "B", "J", ""]


class Axis(Struct, frozen=True, kw_only=True):
    """An axis: its title, the unit of its values, its ends and its scale."""

    title: str
    low: float
    high: float
    unit: Unit = ""
    scale: Scale = "linear"


class Point(Struct, frozen=True, kw_only=True):
    """A mark with its 95 % intervals, where they are known; `text` is read out and shown."""

    name: str
    role: str
    x: float
    y: float
    text: str
    x_low: float | None = None
    x_high: float | None = None
    y_low: float | None = None
    y_high: float | None = None
    key: str = ""


class Line(Struct, frozen=True, kw_only=True):
    """Points joined in the order of x; `role` decides how it looks, `step` whether it jumps."""

    name: str
    role: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    step: bool = False


class Plot(Struct, frozen=True, kw_only=True):
    """A plot, not yet drawn. `sentence` says in words what it shows."""

    title: str
    sentence: str
    x: Axis
    y: Axis
    points: tuple[Point, ...] = ()
    lines: tuple[Line, ...] = ()


Draw = Callable[[Plot], str]


class Findings(Struct, frozen=True, kw_only=True):
    """All that a report is made from; what was not judged is None or empty."""

    tables: tuple[TaskTable, ...]
    runs: tuple[RunFile, ...]
    ledger: Ledger | None = None
    costs: tuple[CostReport, ...] = ()
    curves: tuple[TaskCurves, ...] = ()
