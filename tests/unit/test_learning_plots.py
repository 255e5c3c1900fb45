"""Learning curves in the HTML report, before they are drawn."""

from __future__ import annotations

from tests.unit.test_learning import HALF, RIGHT, N, drawn, point
from tests.unit.verdicts import large

from steelyard.report.html import grown


def test_a_specialist_is_a_line_through_its_means_and_a_generalist_a_level() -> None:
    given = {"giant": HALF, "int8-8x0": HALF, "int8-8x1": RIGHT, "int8-32x0": RIGHT}
    made = drawn(given, point(8, 0), point(8, 1), point(32), large())

    (plot,) = grown.plots([made])

    assert [(line.x, line.y) for line in plot.lines] == [
        ((8, 32), (0.75, 1.0)),
        ((8, 32), (0.5,) * 2),
    ]
    few = plot.points[0]
    assert (few.y, few.y_low, few.y_high) == (
        0.75,
        made.curves[0].steps[0].low,
        made.curves[0].steps[0].high,
    )
    assert few.text == (
        f"mini@int8, 8 labelled items: accuracy 0.750 on {N} items, 2 draws from 0.500 to 1.000"
    )
    assert plot.points[-1].role == "generalist"
    assert "mini@int8 is better than giant@int8" in plot.sentence


def test_a_task_of_which_no_size_was_measured_has_no_plot() -> None:
    refused = point(8, outcome="refused", reason="too few", predictions_sha256=None)

    assert grown.plots([drawn({}, refused)]) == ()
