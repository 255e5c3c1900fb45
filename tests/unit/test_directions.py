"""Whether more of a score is better decides the order, the frontier and the choice."""

from __future__ import annotations

import pytest
from tests.unit import builders
from tests.unit.historic import measured
from tests.unit.verdicts import card, run

from steelyard import catalog
from steelyard.api import Score
from steelyard.card import TaskCard
from steelyard.directions import HIGHER, LOWER, higher_is_better
from steelyard.record import Record
from steelyard.report.html import plots
from steelyard.report.html.types import Plot, Point
from steelyard.report.rows import TaskTable, tables


@pytest.mark.parametrize(
    ("metric", "task", "more"),
    [
        ("accuracy", None, True),
        ("entity-f1", None, True),
        ("mase", None, False),
        ("utility", None, None),
        ("utility", card(metric="utility", higher_is_better=False), False),
        ("mase", card(metric="utility", higher_is_better=True), False),
    ],
)
def test_the_card_speaks_of_its_own_metric_and_names_of_the_rest(
    metric: str, task: TaskCard | None, more: bool | None
) -> None:
    assert higher_is_better(metric, task) is more


def test_no_shipped_card_contradicts_the_name_of_its_metric() -> None:
    assert not HIGHER & LOWER
    for found in catalog.load().tasks.values():
        assert higher_is_better(found.card.metric) in {found.card.higher_is_better, None}


def cell(model: str, value: float, p50_ns: int, metric: str) -> Record:
    return builders.record(
        cell=builders.cell(task="load", model=model),
        role="specialist",
        metric=metric,
        scores=(Score(metric=metric, value=value, n=100),),
        measurements=(measured("latency_end_to_end", "ns", (p50_ns,) * 40),),
    )


def table(metric: str, task: TaskCard | None = None) -> TaskTable:
    runs = run(
        cell("middling", 1.2, 2_000, metric),
        cell("poor", 1.9, 3_000, metric),
        cell("good", 0.8, 4_000, metric),
        cell("quick", 1.5, 1_000, metric),
    )
    (made,) = tables([runs], cards={"load": task} if task else {})
    return made


def order(made: TaskTable) -> list[str]:
    return [row.cell.model for row in made.rows]


def test_rows_begin_with_the_best_score() -> None:
    assert order(table("mase")) == ["good", "middling", "quick", "poor"]
    assert order(table("accuracy")) == ["poor", "quick", "middling", "good"]
    assert order(table("utility")) == ["poor", "quick", "middling", "good"]
    less = card(id="load", metric="utility", higher_is_better=False)
    assert order(table("utility", less)) == ["good", "middling", "quick", "poor"]


def drawn(made: TaskTable) -> Plot:
    return plots.of_task(made)[0]


def test_the_frontier_of_an_error_goes_down() -> None:
    falling, rising, none = drawn(table("mase")), drawn(table("accuracy")), drawn(table("utility"))

    assert falling.lines[0].y == (1.5, 1.2, 0.8)
    assert falling.sentence.startswith("Up is a worse mase; left is less p50 latency.")
    assert rising.lines[0].y == (1.5, 1.9)
    assert rising.sentence.startswith("Up is a better accuracy; ")
    assert none.lines == ()
    assert none.sentence.startswith("Up is more utility; ")
    assert none.sentence.endswith("No card says whether that is better.")


def test_of_equal_cost_the_better_stands_on_the_frontier() -> None:
    points = [
        Point(name=name, role="specialist", x=1.0, y=y, text="", key=name)
        for name, y in (("more", 2.0), ("less", 1.0))
    ]

    assert [one.name for one in plots.frontier(points)] == ["more"]
    assert [one.name for one in plots.frontier(points, higher=False)] == ["less"]
