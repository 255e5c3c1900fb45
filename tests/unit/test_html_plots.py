"""Plots before they are drawn, where names stand in them, and what is left of a drawn one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit import claiming
from tests.unit.claiming import LARGE, MB, SMALL
from tests.unit.paging import findings, model, usual_run

from steelyard.cost import Demand
from steelyard.cost.crossing import Curve
from steelyard.cost.summary import CostReport
from steelyard.errors import Refusal
from steelyard.record import Evidence
from steelyard.report.html import costing, labelling, plots, svg
from steelyard.report.html.drawing import pixel, ticks
from steelyard.report.html.labelling import Box, Spot
from steelyard.report.html.types import Axis, Point

AREA = Box(left=0, top=0, right=300, bottom=200)
NUMBER = st.floats(min_value=0.001, max_value=1000)


def point(x: float, y: float, name: str = "m") -> Point:
    return Point(name=name, role="specialist", x=x, y=y, text=f"{name} told", key="cell")


def test_the_frontier_is_what_no_other_beats_for_less() -> None:
    points = [point(1, 0.2, "a"), point(2, 0.9, "b"), point(3, 0.8, "c"), point(4, 0.95, "d")]

    assert [one.name for one in plots.frontier(points)] == ["a", "b", "d"]


def test_of_equal_needs_the_better_score_is_on_the_frontier() -> None:
    assert [p.name for p in plots.frontier([point(1, 0.2, "a"), point(1, 0.3, "b")])] == ["b"]


@given(st.lists(st.tuples(NUMBER, NUMBER), min_size=1, max_size=12))
def test_a_point_is_on_the_frontier_if_and_only_if_none_beats_it(
    places: list[tuple[float, float]],
) -> None:
    points = [point(x, y) for x, y in places]
    front = {(p.x, p.y) for p in plots.frontier(points)}

    for x, y in places:
        beaten = any((a <= x and b > y) or (a < x and b >= y) for a, b in places)
        assert ((x, y) in front) != beaten


def test_a_task_gets_a_plot_for_each_resource_that_two_cells_tell() -> None:
    (table, *_) = findings(usual_run()).tables

    latency, memory = plots.of_task(table)
    assert latency.title == "accuracy against p50 latency"
    assert memory.title == "accuracy against peak memory"
    tiny = next(p for p in latency.points if p.name == "tiny@int8")
    assert tiny.x == pytest.approx(0.0100002, rel=1e-4)
    assert (tiny.y, tiny.y_low, tiny.y_high) == pytest.approx((0.9, 0.82563, 0.94477), abs=1e-4)
    assert "accuracy 0.900 [0.826, 0.945] on 100 items" in tiny.text
    assert latency.sentence.endswith("than: tiny@int8.")


def test_a_cell_without_a_valid_window_is_in_no_plot_of_latency() -> None:
    run = usual_run()
    broken = Evidence(window="latency", seconds=1.0, readings=1, broken=("hot",))
    records = [replace(one, evidence=(broken,), outcome="invalid") for one in run.records]
    (table, *_) = findings(replace(run, records=tuple(records))).tables

    assert [plot.title for plot in plots.of_task(table)] == ["accuracy against peak memory"]


def test_energies_of_different_tiers_are_never_in_one_plot() -> None:
    def metered(name: str, tier: int) -> claiming.Model:
        return replace(model(SMALL, name, 90), joules=0.1, tier=tier)

    models = [metered("a", 2), metered("b", 2), metered("c", 3), metered("d", 3)]
    (table, *_) = findings(claiming.run(models)).tables
    drawn = [plot for plot in plots.of_task(table) if "energy" in plot.title]

    assert [[p.name for p in plot.points] for plot in drawn] == [
        ["a@int8", "b@int8"],
        ["c@int8", "d@int8"],
    ]
    assert "modelled" in drawn[1].x.title


@given(NUMBER, st.floats(min_value=1.01, max_value=1e9))
def test_ticks_are_within_the_axis_and_rise(low: float, times: float) -> None:
    axis = Axis(title="", low=low, high=low * times, scale="log")
    values = list(ticks(axis))

    assert all(axis.low <= value <= axis.high for value in values)
    assert values == sorted(set(values))


def test_seven_decades_get_a_handful_of_ticks() -> None:
    axis = Axis(title="", low=2e-7, high=4.0, scale="log")

    assert list(ticks(axis)) == pytest.approx([1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0])


def test_places_on_an_axis_run_from_its_low_end_to_its_high_one() -> None:
    log = Axis(title="", low=1.0, high=100.0, scale="log")

    assert pixel(log, 10.0) == pytest.approx(0.5)
    assert pixel(Axis(title="", low=0.0, high=4.0), 1.0) == 0.25


def test_axes_leave_room_around_one_value() -> None:
    assert plots.logarithmic("", "s", [2.0]).low == 1.0
    assert plots.linear("", [0.0]).high > 0.0


@given(st.lists(st.tuples(st.floats(10, 290), st.floats(10, 190)), max_size=10))
def test_names_cover_neither_points_nor_one_another_and_stay_inside(
    places: list[tuple[float, float]],
) -> None:
    spots = [Spot(x=x, y=y, name=f"model-{i}") for i, (x, y) in enumerate(places)]
    boxes = [box(label) for label in labelling.place(spots, AREA) if label]

    assert all(AREA.holds(one) for one in boxes)
    assert not any(one.meets(spot.mark) for one in boxes for spot in spots)
    assert not any(a.meets(b) for i, a in enumerate(boxes) for b in boxes[:i])


def box(label: labelling.Label) -> Box:
    half = labelling.HEIGHT / 2 - 1e-6
    width = labelling.LETTER * len(label.name)
    return Box(
        left=label.left,
        right=label.left + width,
        top=label.middle - half,
        bottom=label.middle + half,
    )


def test_a_name_stands_beside_its_point_where_there_is_room() -> None:
    (label,) = labelling.place([Spot(x=50, y=50, name="model")], AREA)

    assert label == labelling.Label(name="model", left=50 + labelling.GAP, middle=50)


def test_a_long_name_is_cut() -> None:
    assert labelling.shortened("n" * 300) == "n" * (labelling.LONGEST - 1) + "…"


DRAWN = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 20" onload="alert(1)">
<script>alert(1)</script><style>*{color:red}</style><foreignObject><b>x</b></foreignObject>
<a href="javascript:alert(1)"><text>linked</text></a><image href="http://example.org/x.png"/>
<g aria-label="point 0"><path d="M1.2345,2" fill="var(--specialist)" style="x:y" onclick="a()"/></g>
<text fill="url(http://example.org/)" aria-label="name 0">&lt;/script&gt;\u202e</text>
<line x1="1" aria-label="point 7"/><line x1="2" aria-label="bar 0"/></svg>"""


def test_of_a_drawing_only_harmless_parts_are_kept() -> None:
    kept = svg.rebuilt(DRAWN, [point(1, 1)])

    assert kept == (
        '<svg class="plot" viewBox="0 0 10 20">'
        '<g class="point" role="img" aria-label="m told" data-role="specialist" data-key="cell" '
        'tabindex="0"><path d="M1.2,2" fill="var(--specialist)" /></g>'
        '<text data-key="cell" aria-hidden="true">&lt;/script&gt;\\u202e</text>'
        '<line x1="1" /><line x1="2" data-key="cell" aria-hidden="true" /></svg>'
    )


def test_only_the_first_point_is_a_stop_for_the_tabulator() -> None:
    drawn = '<svg><path aria-label="point 0" d="M"/><path aria-label="point 1" d="M"/></svg>'
    kept = svg.rebuilt(drawn, [point(1, 1), point(2, 2)])

    assert kept.count('tabindex="0"') == kept.count('tabindex="-1"') == 1


def test_what_is_no_drawing_is_refused() -> None:
    with pytest.raises(Refusal, match="could not be drawn"):
        svg.rebuilt("<svg", [])


def curve(name: str, role: str, *costs: float) -> Curve:
    return Curve(
        label=f"{name} on box",
        model=name,
        deployment="box",
        role=role,
        x_unit="month",
        currency="EUR",
        x=tuple(float(i) for i in range(len(costs))),
        y=costs,
    )


def report(*curves: Curve) -> CostReport:
    return CostReport(
        task="spam",
        demand=Demand(calls_a_day=1000, months=2),
        currency="EUR",
        rows=(),
        versus=(),
        curves=curves,
        stated=(),
    )


def test_cost_curves_that_end_in_one_place_share_a_mark() -> None:
    plot = costing.plot(
        report(
            curve("a", "specialist", 0, 50, 100),
            curve("b", "specialist", 0, 50, 100.1),
            curve("c", "generalist", 10, 300, 600),
            curve("nothing", "baseline", 0, 0, 0),
        )
    )

    assert plot is not None
    assert [p.name for p in plot.points] == ["a +1", "c"]
    assert plot.points[0].text == (
        "specialist, after 2 months: a on box: 100 EUR; b on box: 100 EUR"
    )
    assert (plot.x.low, plot.y.low) == (0.0, 0.0)
    assert "After 2 months from 100 (a) to 600 EUR." in plot.sentence


def test_without_curves_there_is_no_plot_of_costs() -> None:
    assert costing.plot(report()) is None


def test_memory_that_was_not_measured_is_no_point() -> None:
    models = [model(SMALL, "a", 90), model(LARGE, "b", 80), model(SMALL, "c", 70)]
    run = claiming.run([replace(models[0], peak=50 * MB), *models[1:]])
    bare = replace(run.records[2], measurements=run.records[2].measurements[:1])
    (table, *_) = findings(replace(run, records=(*run.records[:2], bare))).tables
    memory = plots.of_task(table)[1]

    assert [p.name for p in memory.points] == ["a@int8", "b@int8"]
