"""Runs -> learning curves: one model's artefacts that learned from more or fewer labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from steelyard.record import Record, RunFile
from steelyard.report.html.plots import linear, logarithmic
from steelyard.report.html.types import Line, Plot, Point
from steelyard.report.units import clean

Curve = tuple[str, list[Record]]


def curves(runs: Iterable[RunFile]) -> tuple[Plot, ...]:
    """Return a plot a task for which some model learned from at least two numbers of labels.

    Of records that differ only in when they were made, the latest counts. Draws of some of the
    labels are another plot's: see `grown`.
    """
    by_task: dict[str, dict[str, dict[int, Record]]] = {}
    for record in (record for run in runs for record in run.records):
        if record.subset or not record.answered or record.artifact is None or not record.score():
            continue
        models = by_task.setdefault(record.cell.task, {})
        points = models.setdefault(f"{record.cell.model} {record.precision}", {})
        labels = record.artifact.labelled_items
        known = points.get(labels)
        if labels > 0 and (known is None or known.started <= record.started):
            points[labels] = record
    plots = (_plot(task, _grown(models)) for task, models in by_task.items())
    return tuple(plot for plot in plots if plot is not None)


def _grown(models: dict[str, dict[int, Record]]) -> list[Curve]:
    several = {name: points for name, points in models.items() if len(points) > 1}
    return [(name, [points[n] for n in sorted(points)]) for name, points in several.items()]


def _plot(task: str, grown: Sequence[Curve]) -> Plot | None:
    points = [point for name, records in grown for point in _points(name, records)]
    if not points:
        return None
    heights = [v for p in points for v in (p.y, p.y_low, p.y_high) if v is not None]
    metric = clean(grown[0][1][0].metric)
    told = "; ".join(
        f"{clean(name)} from {own[0].y:.3f} with {own[0].x:.0f} to {own[-1].y:.3f} with "
        f"{own[-1].x:.0f}"
        for name, records in grown
        if (own := _points(name, records))
    )
    return Plot(
        title=f"{clean(task)}: {metric} against labelled items",
        sentence=f"What more labels bring. Bars are 95 % intervals. {told}.",
        x=logarithmic("labelled items learned from, log scale", "", [p.x for p in points]),
        y=linear(metric, heights),
        points=tuple(points),
        lines=tuple(_line(name, _points(name, records)) for name, records in grown),
    )


def _points(name: str, records: Sequence[Record]) -> list[Point]:
    made: list[Point] = []
    for record in records:
        score, artifact = record.score(), record.artifact
        if score is None or artifact is None:
            continue
        made.append(
            Point(
                name=clean(f"{name} {artifact.labelled_items}"),
                role=record.role,
                x=artifact.labelled_items,
                y=score.value,
                y_low=score.low,
                y_high=score.high,
                key=record.cell.id,
                text=f"{name}, {artifact.labelled_items} labelled items: {score.metric} "
                f"{score.value:.3f} on {score.n} items",
            )
        )
    return made


def _line(name: str, points: Sequence[Point]) -> Line:
    return Line(
        name=name,
        role=points[0].role,
        x=tuple(p.x for p in points),
        y=tuple(p.y for p in points),
    )
