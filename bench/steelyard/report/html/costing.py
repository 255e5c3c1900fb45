"""What models cost: a section a task, its curves drawn over the months."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from steelyard import cost
from steelyard.cost import CostReport, Prices
from steelyard.cost.crossing import Curve
from steelyard.record import RunFile
from steelyard.report import costs
from steelyard.report.html.plots import linear
from steelyard.report.html.types import Axis, Line, Plot, Point
from steelyard.report.money import money, volume_asked
from steelyard.report.units import clean

# In how many steps of its height a plot can be read.
EYE = 60


def reports(runs: Iterable[RunFile], prices: Prices) -> tuple[CostReport, ...]:
    """Return the costs of each task of which some model has a cost, by the prices' own demand."""
    by_task = costs.by_task(runs)
    made = (cost.report(found, prices, prices.demand) for found in by_task.values())
    return tuple(report for report in made if any(row.total for row in report.rows))


def plot(report: CostReport) -> Plot | None:
    """Return the total costs over the months; None where no model has a curve."""
    curves = [curve for curve in report.curves if curve.role != "baseline"]
    if not curves:
        return None
    ends = [curve.y[-1] for curve in curves]
    heights = [y for curve in curves for y in curve.y]
    least = min(curves, key=lambda curve: curve.y[-1])
    months, demand = max(curve.x[-1] for curve in curves), report.demand
    height = linear(f"total, {report.currency}", [0.0, *heights])
    return Plot(
        title=clean(f"{report.task}: total cost over time"),
        sentence=clean(
            f"{volume_asked(demand.calls_a_day)} calls a day; each model where it costs least in "
            f"all, by the prices below. After {months:g} months from {money(min(ends))} "
            f"({_name(least)}) to {money(max(ends))} {report.currency}. "
            "Lines have no intervals: the prices are uncertain by more than the measurements."
        ),
        x=Axis(title="months", low=0.0, high=months * 1.04),
        y=Axis(title=height.title, low=0.0, high=height.high),
        points=tuple(map(_end, _together(curves, height.high))),
        lines=tuple(_line(curve) for curve in curves),
    )


def _together(curves: Sequence[Curve], height: float) -> list[list[Curve]]:
    """Return curves that end in one place, as far as an eye can tell, together."""
    found: dict[tuple[str, int], list[Curve]] = {}
    for curve in curves:
        found.setdefault((curve.role, round(curve.y[-1] / height * EYE)), []).append(curve)
    return list(found.values())


def _end(curves: Sequence[Curve]) -> Point:
    last = curves[0]
    more = f" +{len(curves) - 1}" if len(curves) > 1 else ""
    return Point(
        name=_name(last) + more,
        role=last.role,
        x=last.x[-1],
        y=last.y[-1],
        key=last.label,
        text=f"{last.role}, after {last.x[-1]:g} {last.x_unit}s: "
        + "; ".join(f"{c.label}: {money(c.y[-1])} {c.currency}" for c in curves),
    )


def _line(curve: Curve) -> Line:
    return Line(name=curve.label, role=curve.role, x=curve.x, y=curve.y)


def _name(curve: Curve) -> str:
    return clean(curve.model)


def lines(made: Sequence[CostReport]) -> tuple[str, ...]:
    """Return what all costs rest on."""
    return costs.closing_lines(made) if made else ()
