"""Plots -> SVG, by altair and vl-convert; what they made is rebuilt from what a plot may hold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from steelyard.report.html import libraries, svg
from steelyard.report.html.labelling import Box, Spot, place
from steelyard.report.html.types import Axis, Line, Plot, Point

# Narrow on purpose: on a phone the letters keep their size.
WIDTH, HEIGHT = 300, 210
PADDING = {"left": 46, "right": 12, "top": 10, "bottom": 42}
ROLES = ("specialist", "generalist", "baseline")
SHAPES = {"specialist": "circle", "generalist": "square", "baseline": "triangle-up"}
DASHES = {"specialist": [1, 0], "generalist": [6, 3], "baseline": [2, 2], "front": [2, 3]}
# The page's own colours, light and dark: var() is resolved by the browser.
PALETTE = {role: f"var(--{role})" for role in (*ROLES, "front", "ink", "grid")}


def draw(plot: Plot) -> str:
    """Return a plot as an SVG element that stands in the page; raise Refusal without libraries."""
    libraries.require("altair", "vl_convert")
    import vl_convert

    drawn = vl_convert.vegalite_to_svg(specification(plot), allowed_base_urls=[])
    return svg.rebuilt(drawn, plot.points)


def specification(plot: Plot, palette: dict[str, str] = PALETTE) -> dict[str, Any]:
    """Return the Vega-Lite specification of a plot."""
    import altair as alt

    layers = list(_Layers(plot, palette).all())
    chart = alt.layer(*layers).properties(
        width=WIDTH,
        height=HEIGHT,
        padding=PADDING,
        autosize=alt.AutoSizeParams(type="none"),
        background="transparent",
    )
    drawn: dict[str, Any] = chart.configure(
        font="system-ui, sans-serif",
        axis=alt.AxisConfig(
            labelColor=palette["ink"],
            titleColor=palette["ink"],
            labelFontSize=11,
            titleFontSize=11,
            titleFontWeight="normal",
            gridColor=palette["grid"],
            domainColor=palette["grid"],
            tickColor=palette["grid"],
        ),
        view=alt.ViewConfig(stroke=palette["grid"]),
    ).to_dict()
    return drawn


def _channel(channel: str, field: str, axis: Axis) -> Any:
    """Return the x or y channel of an axis."""
    import altair as alt

    scale = alt.Scale(type=axis.scale, domain=[axis.low, axis.high], nice=False, zero=False)
    form = "format(datum.value,'~s')" if axis.unit or axis.scale == "log" else ""
    label = f"{form}+'{axis.unit}'" if form else "format(datum.value,'~g')"
    values = list(ticks(axis)) if axis.scale == "log" else alt.Undefined
    drawn = alt.Axis(
        title=axis.title or None,
        values=values,
        tickCount=5,
        labelExpr=label,
        labelFlush=False,
        labelOverlap="greedy",
    )
    return getattr(alt, channel)(f"{field}:Q", scale=scale, axis=drawn)


def ticks(axis: Axis) -> Iterator[float]:
    """Yield round values between the ends of a logarithmic axis, about five of them."""
    first, last = math.floor(math.log10(axis.low)), math.ceil(math.log10(axis.high))
    decades = math.log10(axis.high / axis.low)
    steps = (1, 2, 5) if decades < 2 else (1, 3) if decades < 3 else (1,)
    every = max(1, round(decades / 5)) if steps == (1,) else 1
    for exponent in range(first, last + 1, every):
        # 10.0**-3 is 0.001, and 3 * 10.0**-3 is not 0.003 to the last bit: nobody sees it.
        yield from (
            s * 10.0**exponent for s in steps if axis.low <= s * 10.0**exponent <= axis.high
        )


def _chart(values: list[dict[str, Any]]) -> Any:
    import altair as alt

    return alt.Chart(alt.Data(values=values))


class _Layers:
    """The layers of a plot; a number finds each mark again, so foreign names stay out of markup."""

    def __init__(self, plot: Plot, palette: dict[str, str]) -> None:
        self.plot = plot
        self.palette = palette
        self.x, self.y = _channel("X", "x", plot.x), _channel("Y", "y", plot.y)

    def all(self) -> Iterator[Any]:
        """Yield what there is of lines, intervals along x and y, marks and names."""
        yield from (self._line(line) for line in self.plot.lines)
        points = list(enumerate(self.plot.points))
        across = [self._told("bar", i, p, x=p.x_low, x2=p.x_high) for i, p in points]
        upright = [self._told("bar", i, p, y=p.y_low, y2=p.y_high) for i, p in points]
        yield from self._rule(across, x2="x2:Q")
        yield from self._rule(upright, y2="y2:Q")
        yield from self._marks([self._told("point", i, p) for i, p in points])
        yield from self._names()

    def _told(self, part: str, index: int, point: Point, **ends: float | None) -> dict[str, Any]:
        told = {"x": point.x, "y": point.y, "role": known(point), "told": f"{part} {index}"}
        return {} if None in ends.values() else {**told, **ends}

    def _by_role(self, channel: str, looks: dict[str, str]) -> Any:
        import altair as alt

        scale = alt.Scale(domain=list(ROLES), range=[looks[role] for role in ROLES])
        return getattr(alt, channel)("role:N", scale=scale, legend=None)

    def _line(self, line: Line) -> Any:

        values = [{"x": x, "y": y} for x, y in zip(line.x, line.y, strict=True)]
        role = line.role if line.role in DASHES else "baseline"
        return (
            _chart(values)
            .mark_line(
                strokeWidth=1.6,
                strokeDash=DASHES[role],
                color=self.palette[role],
                interpolate="step-after" if line.step else "linear",
            )
            .encode(x=self.x, y=self.y)
        )

    def _rule(self, values: list[dict[str, Any]], **end: str) -> Iterator[Any]:

        kept = [value for value in values if value]
        if kept:
            chart = _chart(kept).mark_rule(strokeWidth=1.4, opacity=0.75)
            colour = self._by_role("Color", self.palette)
            yield chart.encode(x=self.x, y=self.y, color=colour, description="told:N", **end)

    def _marks(self, values: list[dict[str, Any]]) -> Iterator[Any]:

        if values:
            chart = _chart(values).mark_point(size=70, filled=True, opacity=1)
            yield chart.encode(
                x=self.x,
                y=self.y,
                color=self._by_role("Color", self.palette),
                shape=self._by_role("Shape", SHAPES),
                description="told:N",
            )

    def _names(self) -> Iterator[Any]:
        import altair as alt

        spots = [_spot(point, self.plot) for point in self.plot.points]
        placed = place(
            spots, AREA, [box for line in self.plot.lines for box in _path(line, self.plot)]
        )
        values = [
            {"left": label.left, "middle": label.middle, "name": label.name, "told": f"name {i}"}
            for i, label in enumerate(placed)
            if label
        ]
        if values:
            chart = _chart(values).mark_text(
                align="left", baseline="middle", fontSize=10, color=self.palette["ink"]
            )
            yield chart.encode(
                x=alt.X("left:Q", scale=None, axis=None),
                y=alt.Y("middle:Q", scale=None, axis=None),
                text="name:N",
                description="told:N",
            )


PIECES = 8
AREA = Box(left=1, top=1, right=WIDTH + 8, bottom=HEIGHT - 1)


def known(point: Point) -> str:
    """Return the point's role, or `baseline` for one that no plot knows."""
    return point.role if point.role in ROLES else "baseline"


def _spot(point: Point, plot: Plot) -> Spot:
    x, y = pixel(plot.x, point.x) * WIDTH, (1 - pixel(plot.y, point.y)) * HEIGHT
    bars: list[Box] = []
    if point.y_low is not None and point.y_high is not None:
        top, bottom = ((1 - pixel(plot.y, v)) * HEIGHT for v in (point.y_high, point.y_low))
        bars.append(Box(left=x - 1, right=x + 1, top=top, bottom=bottom))
    if point.x_low is not None and point.x_high is not None:
        left, right = (pixel(plot.x, v) * WIDTH for v in (point.x_low, point.x_high))
        bars.append(Box(left=left, right=right, top=y - 1, bottom=y + 1))
    return Spot(x=x, y=y, name=point.name, bars=tuple(bars))


def _path(line: Line, plot: Plot) -> Iterator[Box]:
    """Yield what a line covers: of steps the treads and risers, else short pieces."""
    xs = [pixel(plot.x, x) * WIDTH for x in line.x]
    ys = [(1 - pixel(plot.y, y)) * HEIGHT for y in line.y]
    for (x, y), (to_x, to_y) in pairwise(zip(xs, ys, strict=True)):
        if line.step:
            yield Box(left=x, right=to_x, top=y - 1, bottom=y + 1)
            yield Box(left=to_x - 1, right=to_x + 1, top=min(y, to_y), bottom=max(y, to_y))
            continue
        for part in range(PIECES):
            ends = [(y + (to_y - y) * k / PIECES) for k in (part, part + 1)]
            left, right = (x + (to_x - x) * k / PIECES for k in (part, part + 1))
            yield Box(left=left, right=right, top=min(ends) - 1, bottom=max(ends) + 1)


def pixel(axis: Axis, value: float) -> float:
    """Return where a value lies on its axis: 0 at the low end, 1 at the high one."""
    if axis.scale == "log":
        return math.log(value / axis.low) / math.log(axis.high / axis.low)
    return (value - axis.low) / (axis.high - axis.low)
