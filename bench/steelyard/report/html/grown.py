"""Learning curves of several draws -> plots: a line a specialist, a level a generalist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from steelyard.learning import Curve, Step, TaskCurves
from steelyard.learning.types import Opponent
from steelyard.report.curves import sentences
from steelyard.report.html.plots import linear, logarithmic
from steelyard.report.html.types import Line, Plot, Point
from steelyard.report.units import clean


def plots(tasks: Iterable[TaskCurves]) -> tuple[Plot, ...]:
    """Return a plot a task that has a point to show."""
    made = (_plot(task) for task in tasks)
    return tuple(plot for plot in made if plot is not None)


def _plot(task: TaskCurves) -> Plot | None:
    grown = [point for curve in task.curves for point in _points(curve, task.metric)]
    if not grown:
        return None
    fewest, most = min(point.x for point in grown), max(point.x for point in grown)
    levels = [one for one in task.opponents if one.score is not None]
    points = (*grown, *(_level(one, task.metric, fewest) for one in levels))
    heights = [v for p in points for v in (p.y, p.y_low, p.y_high) if v is not None]
    told = ". ".join(clean(said) for said in sentences(task))
    return Plot(
        title=f"{clean(task.task)}: mean {clean(task.metric)} of several draws of labelled items",
        sentence="What more labels bring. Bars are 95 % intervals over test items; the level lines "
        f"are generalists asked without examples. {told}.",
        x=logarithmic("labelled items learned from, log scale", "", [fewest, most]),
        y=linear(clean(task.metric), heights),
        points=points,
        lines=(
            *(_line(curve, task.metric) for curve in task.curves if _measured(curve)),
            *(_flat(one, fewest, most) for one in levels),
        ),
    )


def _measured(curve: Curve) -> list[Step]:
    return [step for step in curve.steps if step.mean is not None and step.size]


def _points(curve: Curve, metric: str) -> Iterator[Point]:
    for step in _measured(curve):
        size, mean = step.size or 0, step.mean or 0.0
        spread = ""
        if step.scores[1:]:
            ends = f"{min(step.scores):.3f} to {max(step.scores):.3f}"
            spread = f", {len(step.scores)} draws from {ends}"
        yield Point(
            name=clean(f"{curve.name} {size}"),
            role="specialist",
            x=size,
            y=mean,
            y_low=step.low,
            y_high=step.high,
            text=clean(
                f"{curve.name}, {size} labelled items: {metric} {mean:.3f} on {curve.n} items"
                f"{spread}"
            ),
        )


def _level(one: Opponent, metric: str, x: float) -> Point:
    name, score = one.cell.name, one.score or 0.0
    return Point(
        name=clean(name),
        role="generalist",
        x=x,
        y=score,
        y_low=one.low,
        y_high=one.high,
        key=one.cell.id,
        text=clean(f"{name}, asked without examples: {metric} {score:.3f} on {one.n} items"),
    )


def _line(curve: Curve, metric: str) -> Line:
    points = list(_points(curve, metric))
    return Line(
        name=clean(curve.name),
        role="specialist",
        x=tuple(point.x for point in points),
        y=tuple(point.y for point in points),
    )


def _flat(one: Opponent, fewest: float, most: float) -> Line:
    score = one.score or 0.0
    return Line(name=clean(one.cell.name), role="generalist", x=(fewest, most), y=(score, score))
