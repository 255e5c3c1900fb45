"""Rows -> plots of score against what an answer takes, with the frontier of what is not beaten."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from steelyard import record_figures
from steelyard.api import Score
from steelyard.report import joules, units
from steelyard.report.html.types import Axis, Line, Plot, Point, Unit
from steelyard.report.rows import Row, TaskTable
from steelyard.stats import Quantile

FRONT = "front"
_WAYS: dict[bool | None, str] = {True: "a better", False: "a worse", None: "more"}
_ITEMS = {True: ", on exactly the items that the generalists were asked", False: ""}


class Taken(Struct, frozen=True, kw_only=True):
    """What an answer takes of a resource, in the axis's unit, with its interval, and in words."""

    value: float
    text: str
    low: float | None = None
    high: float | None = None


class Resource(Struct, frozen=True, kw_only=True):
    """A resource of the x axis: its name, its title there, its unit and how a row tells it."""

    name: str
    title: str
    unit: Unit
    taken: Callable[[Row], Taken | None]


def latency(row: Row) -> Taken | None:
    """Return a row's p50 in seconds; None where no window was valid or calls were too few."""
    p50 = row.p50_ns
    if not row.timed_validly or not isinstance(p50, Quantile) or p50.value <= 0:
        return None
    text = units.duration_interval(p50.value, p50.low, p50.high)
    return Taken(value=p50.value / 1e9, low=p50.low / 1e9, high=p50.high / 1e9, text=f"p50 {text}")


def memory(row: Row) -> Taken | None:
    """Return a row's peak memory in bytes."""
    peak = row.memory_peak_bytes
    return Taken(value=float(peak), text=f"{units.size(peak)} of memory") if peak else None


def energy(row: Row) -> Taken | None:
    """Return a row's energy a call in joules, by the best meter there is."""
    reading = joules.best(row.energy)
    if reading is None or reading.gross_j is None or reading.gross_j <= 0:
        return None
    spread = reading.gross_u_j or 0.0
    low = reading.gross_j - spread
    tier = joules.TIERS[record_figures.tier(reading)]
    return Taken(
        value=reading.gross_j,
        low=low if spread and low > 0 else None,
        high=reading.gross_j + spread if spread and low > 0 else None,
        text=f"{units.energy(reading.gross_j, spread)} a call ({tier})",
    )


LATENCY = Resource(name="p50 latency", title="p50 of a call, end to end", unit="s", taken=latency)
MEMORY = Resource(name="peak memory", title="peak memory of the process", unit="B", taken=memory)
ENERGY = Resource(name="energy", title="energy of a call, gross", unit="J", taken=energy)
RESOURCES = (LATENCY, MEMORY, ENERGY)


def of_task(table: TaskTable) -> tuple[Plot, ...]:
    """Return a plot a resource that at least two rows tell; energy a tier, never mixed."""
    plots = (plot for resource in RESOURCES for plot in _of_resource(table, resource))
    return tuple(plots)


def _of_resource(table: TaskTable, resource: Resource) -> Iterator[Plot]:
    rows = [row for row in table.rows if resource.taken(row) and compared(row)]
    if resource is not ENERGY:
        groups = {resource.title: rows}
    else:
        tiers = {tier: [r for r in rows if _tier(r) == tier] for tier in sorted(map(_tier, rows))}
        groups = {f"{resource.title} ({joules.TIERS[t]})": own for t, own in tiers.items()}
    for title, own in groups.items():
        if len(own) > 1:
            yield _plot(table, resource, title, own)


def _tier(row: Row) -> int:
    reading = joules.best(row.energy)
    return record_figures.tier(reading) if reading else record_figures.MODELLED


def compared(row: Row) -> Score | None:
    """Return the score on the items that all were asked, where the row was asked more."""
    return row.same_items or row.score


def _plot(table: TaskTable, resource: Resource, title: str, rows: Sequence[Row]) -> Plot:
    several = len({row.cell.device for row in table.rows}) > 1
    points = [point for row in rows if (point := _point(row, resource, several=several))]
    metric = units.clean(rows[0].metric)
    ends = [v for p in points for v in (p.x, p.x_low, p.x_high) if v is not None]
    heights = [v for p in points for v in (p.y, p.y_low, p.y_high) if v is not None]
    more = table.higher_is_better
    front = () if more is None else frontier(points, higher=more)
    same = any(row.same_items for row in rows)
    return Plot(
        title=f"{metric} against {resource.name}",
        sentence=_sentence(front, f"{_WAYS[more]} {metric}{_ITEMS[same]}", resource),
        x=logarithmic(f"{title}, log scale", resource.unit, ends),
        y=linear(metric, heights),
        points=tuple(points),
        lines=(_stairs(front),) if len(front) > 1 else (),
    )


def _point(row: Row, resource: Resource, *, several: bool) -> Point | None:
    taken, score = resource.taken(row), compared(row)
    if taken is None or score is None:
        return None
    where = f" on {row.cell.device}" if several else ""
    interval = (
        f" [{score.low:.3f}, {score.high:.3f}]"
        if score.low is not None and score.high is not None
        else ""
    )
    return Point(
        name=units.clean(row.name),
        role=row.role,
        x=taken.value,
        x_low=taken.low,
        x_high=taken.high,
        y=score.value,
        y_low=score.low,
        y_high=score.high,
        key=row.cell.id,
        text=f"{row.name}{where}, {row.role}: {score.metric} {score.value:.3f}{interval} "
        f"on {score.n} items, {taken.text}",
    )


def frontier(points: Sequence[Point], *, higher: bool = True) -> tuple[Point, ...]:
    """Return the points than which none scores as well for less, from the cheapest up."""
    sign = 1 if higher else -1
    front: list[Point] = []
    for point in sorted(points, key=lambda p: (p.x, -sign * p.y)):
        if not front or sign * point.y > sign * front[-1].y:
            front.append(point)
    return tuple(front)


def _stairs(front: Sequence[Point]) -> Line:
    return Line(
        name="not beaten",
        role=FRONT,
        x=tuple(point.x for point in front),
        y=tuple(point.y for point in front),
        step=True,
    )


def _sentence(front: Sequence[Point], up: str, resource: Resource) -> str:
    names = ", ".join(dict.fromkeys(point.name for point in front))
    beaten = (
        f"As measured, no other scores as well for less {resource.name} than: {names}."
        if front
        else "No card says whether that is better."
    )
    return (
        f"Up is {up}; left is less {resource.name}. Bars are 95 % intervals"
        f"{' where one is known' if resource is MEMORY else ''}. {beaten}"
    )


def logarithmic(title: str, unit: Unit, values: Sequence[float]) -> Axis:
    """Return a logarithmic axis around positive values, with room at both ends."""
    low, high = min(values), max(values)
    room = (high / low) ** 0.08 if high > low else 2.0
    return Axis(title=title, unit=unit, scale="log", low=low / room, high=high * room)


def linear(title: str, values: Sequence[float], unit: Unit = "") -> Axis:
    """Return a linear axis around values, with room at both ends; it need not begin at 0."""
    low, high = min(values), max(values)
    room = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
    return Axis(title=title, unit=unit, low=low - room, high=high + room)
