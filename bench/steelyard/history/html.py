"""A history as one HTML page that asks for nothing else: plots, changes, all runs."""

from __future__ import annotations

from collections.abc import Iterator

from steelyard import __version__
from steelyard.history import words
from steelyard.history.types import Environment, History, Series
from steelyard.report.html import drawing, page, plots
from steelyard.report.html.types import Axis, Draw, Line, Plot, Point, Unit
from steelyard.report.html.view import Drawn, Table, View

TEMPLATE = "history.html.jinja"
AXES: dict[str, Unit] = {"s": "s", "B": "B", "J": "J"}
# How the page draws them: runs as a fine line, levels as steps, changes as marks.
RUNS, LEVELS = "front", "specialist"
WAYS: dict[bool | None, str] = {True: "generalist", False: "specialist", None: "baseline"}


class HistoryPage(View, frozen=True, kw_only=True):
    """The page as its template sees it."""

    cell: str
    headline: str
    absences: tuple[str, ...]
    changes: tuple[str, ...]
    plots: tuple[Drawn, ...]
    runs: Table
    rule: str
    environments: tuple[Environment, ...]
    version: str


def html(history: History, draw: Draw = drawing.draw) -> str:
    """Return the page; raise Refusal where the extra `report` is missing."""
    return page.render(view(history, draw), TEMPLATE)


def view(history: History, draw: Draw) -> HistoryPage:
    """Return all that the page says, its plots drawn."""
    made = [plot(series, history) for series in history.series]
    return HistoryPage(
        cell=history.cell,
        headline=words.headline(history),
        absences=words.absences(history),
        changes=tuple(
            words.sentence(series, change, history)
            for series in history.series
            for change in series.changes
        ),
        plots=tuple(
            Drawn(title=one.title, sentence=one.sentence, svg=draw(one), roles=()) for one in made
        ),
        runs=_runs(history),
        rule=words.RULE,
        environments=history.environments,
        version=__version__,
    )


def plot(series: Series, history: History) -> Plot:
    """Return one quantity over the runs, with its levels and change points."""
    known = [(index + 1, value) for index, value in enumerate(series.values) if value is not None]
    values = [value for _, value in known]
    title = words.TITLES[series.quantity]
    return Plot(
        title=title,
        sentence=_sentence(series),
        x=Axis(title="run, by time", low=0.0, high=float(len(series.values) + 1)),
        # A title would stand on figures as long as 1.08ms; the heading above says it already.
        y=plots.linear(series.unit if series.quantity == "score" else "", values, _unit(series)),
        points=tuple(_points(series, history, known[-1][0] - 1)),
        lines=(
            Line(name="runs", role=RUNS, x=tuple(float(i) for i, _ in known), y=tuple(values)),
            *_levels(series, known[-1][0]),
        ),
    )


def _unit(series: Series) -> Unit:
    return AXES.get(series.unit, "") if series.quantity != "score" else ""


def _points(series: Series, history: History, latest: int) -> Iterator[Point]:
    for change in series.changes:
        yield Point(
            name=words.shift(series.quantity, change),
            role=WAYS[change.worse],
            x=float(change.index + 1),
            y=series.values[change.index] or change.after,
            text=words.sentence(series, change, history),
            key=str(change.index),
        )
    value = series.values[latest]
    if value is not None and latest not in {change.index for change in series.changes}:
        said = f"latest run: {words.amount(series.quantity, value)}"
        yield Point(name="", role="baseline", x=float(latest + 1), y=value, text=said, key="latest")


def _levels(series: Series, end: int) -> Iterator[Line]:
    """Yield the level on both sides of each change, as far as the next."""
    changes = series.changes
    for number, change in enumerate(changes):
        first = changes[number - 1].index + 1 if number else 1
        last = changes[number + 1].index + 1 if number + 1 < len(changes) else end
        here = float(change.index + 1)
        yield _flat(float(first), here, change.before)
        yield _flat(here, float(last), change.after)


def _flat(start: float, end: float, level: float) -> Line:
    return Line(name="level", role=LEVELS, x=(start, end), y=(level, level))


def _sentence(series: Series) -> str:
    count = sum(value is not None for value in series.values)
    found = len(series.changes)
    changes = f"{found} change point{'' if found == 1 else 's'}"
    if not found:
        changes = words.none_found(series)
    unknown = any(change.worse is None for change in series.changes)
    return (
        f"{count} of {len(series.values)} runs have a figure; {changes}. The axis need not begin "
        "at 0. Squares are changes for the worse, circles for the better, thick lines the levels "
        f"just before and after.{' Triangles are changes that no card judges.' if unknown else ''}"
    )


def _runs(history: History) -> Table:
    marked = words.marked(history)
    titles = tuple(words.TITLES[series.quantity] for series in history.series)
    return Table(
        caption="All runs, by time (UTC)",
        titles=("started", "run", "commit", *titles, "changed", "differs from the run before"),
        lines=tuple(
            (
                words.day(moment.started),
                moment.run,
                words.commit(moment.commit),
                *(words.amount(one.quantity, one.values[index]) for one in history.series),
                ", ".join(marked.get(index, ())),
                ", ".join(moment.differs),
            )
            for index, moment in enumerate(history.moments)
        ),
    )
