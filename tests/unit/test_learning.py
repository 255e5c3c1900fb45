"""Learning curves held against generalists: records by hand, p-values by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.builders import cell
from tests.unit.verdicts import answered, card, large, player, run

from steelyard import learning, verdict
from steelyard.errors import SteelyardError
from steelyard.learning import Against, Curve, TaskCurves, crossing
from steelyard.record import ArtifactRef, Prediction, PromptChoice, Record, RunFile, Subset
from steelyard.report import curves as words
from steelyard.stats.bootstrap import Counts, Floats
from steelyard.verdict.matching import latest
from steelyard.verdict.types import Status

N = 20
RIGHT = [True] * N
# Ten right of twenty: 10 discordant pairs beside RIGHT, exact McNemar 2 / 2^10.
HALF = [True] * 10 + [False] * 10
P_TEN = 2 / 2**10
# Beside HALF: four lost, seven won: 2 (1 + 11 + 55 + 165 + 330) / 2^11.
MIXED = [False] * 4 + [True] * 13 + [False] * 3
P_MIXED = 2 * 562 / 2**11
# Five discordant pairs: 2 / 2^5, above 5 %.
MOST = [True] * 15 + [False] * 5

Given = Mapping[str, Sequence[bool]]


def point(labels: int | None, draw: int = 0, learned: int | None = None, **changes: Any) -> Record:
    size = "all" if labels is None else f"{labels}x{draw}"
    usual = player("mini", "specialist", cell=cell(model="mini", variant=f"int8-{size}"))
    artifact = ArtifactRef(
        sha256="a" * 64, size_bytes=1, recipe_sha256="b" * 64, parameters=1,
        labelled_items=learned or labels or 0,
    )  # fmt: skip
    subset = Subset(variant="int8", labels=labels, draw=draw)
    return replace(usual, **{"artifact": artifact, "subset": subset, **changes})


def prompted(shots: int = 0) -> PromptChoice:
    return PromptChoice(
        paraphrase=0, normalisation="sum", calibration="none", shots=shots, accuracy=1.0, n=16,
        candidates=(), prefix="", suffix="", max_chars=100,
    )  # fmt: skip


def drawn(given: Given, *records: Record, **changes: Any) -> TaskCurves:
    """Return the curves of a run; `given` has the marks of each variant or generalist."""

    def load(found: Record) -> tuple[Prediction, ...] | None:
        marks = given.get(found.cell.variant, given.get(found.cell.model))
        return None if marks is None else answered(marks)

    (made,) = learning.curves([run(*records)], load, {"spam": card(**changes)})
    return made


def only(made: TaskCurves) -> Curve:
    (curve,) = made.curves
    return curve


def statuses(made: TaskCurves) -> list[Status]:
    return [step.against[0].status for step in only(made).steps if step.against]


def test_a_size_is_better_only_where_every_draw_is() -> None:
    records = [point(8, 0), point(8, 1), point(32, 0), point(32, 1), large()]
    given = {
        "giant": HALF, "int8-8x0": RIGHT, "int8-8x1": MOST,
        "int8-32x0": RIGHT, "int8-32x1": RIGHT,
    }  # fmt: skip

    made = drawn(given, *records, margin=0.5)

    few, many = only(made).steps
    # Not shown to be better by the second draw, but not worse than HALF by half of the items.
    assert (few.against[0].status, many.against[0].status) == ("same", "better")
    assert few.scores == (1.0, 0.75)
    assert few.mean == 0.875
    assert (few.against[0].least, few.against[0].most) == (0.25, 0.5)
    assert only(made).learned[0].better_from == 32
    assert only(made).learned[0].keeps_up_from == 8


def test_p_values_are_those_of_the_least_clear_draw_adjusted_over_sizes() -> None:
    records = [point(8), point(32), point(128), large()]
    given = {"giant": HALF, "int8-8x0": MIXED, "int8-32x0": RIGHT, "int8-128x0": RIGHT}

    made = drawn(given, *records)

    found = [step.against[0] for step in only(made).steps]
    # Holm over .549, .00195 and .00195: three times the least, not less for the next, then itself.
    assert [one.adjusted for one in found] == pytest.approx([P_MIXED, 3 * P_TEN, 3 * P_TEN])
    assert [one.status for one in found] == ["undecided", "better", "better"]
    assert only(made).learned[0].better_from == 32


def test_draws_on_both_sides_of_a_generalist_show_nothing() -> None:
    given = {"giant": HALF, "int8-8x0": RIGHT, "int8-8x1": [False] * N}

    made = drawn(given, point(8, 0), point(8, 1), large())

    assert statuses(made) == ["undecided"]
    assert only(made).steps[0].against[0].adjusted == 1.0


def test_a_curve_that_falls_back_wins_only_from_where_it_stays_ahead() -> None:
    records = [point(8), point(32), point(128), large()]
    given = {"giant": HALF, "int8-8x0": RIGHT, "int8-32x0": HALF, "int8-128x0": RIGHT}

    assert only(drawn(given, *records)).learned[0].better_from == 128


def test_a_curve_below_its_rival_says_so_with_all_labels() -> None:
    given = {"giant": RIGHT, "int8-8x0": HALF, "int8-all": HALF}
    made = drawn(given, point(8), point(None, learned=90), large())

    (said,) = words.sentences(made)

    assert statuses(made) == ["worse", "worse"]
    assert said == (
        "mini@int8 with all 90 labelled items is worse than giant@int8 "
        "(-50 points on the same 20 items)"
    )


def test_one_that_wins_from_the_fewest_on_says_that_fewer_were_not_tried() -> None:
    given = {"giant": HALF, "int8-8x0": RIGHT, "int8-32x0": RIGHT}

    (said,) = words.sentences(drawn(given, point(8), point(32), large()))

    assert said.startswith(
        "mini@int8 is better than giant@int8 from 8 labelled items on, the fewest tried"
    )


def test_no_finding_comes_with_what_the_items_could_have_shown() -> None:
    given = {"giant": HALF, "int8-8x0": MIXED}

    (said,) = words.sentences(drawn(given, point(8), large()))

    assert "with 8 labelled items, the most tried, is not shown to be better" in said
    assert "+15 points on the same 20 items, which show 4" in said


def test_the_usual_artefact_of_all_labels_ends_the_curve() -> None:
    whole = replace(point(None, learned=90), cell=cell(model="mini"), subset=None)
    given = {"mini": [*RIGHT, True], "int8-8x0": HALF}

    steps = only(drawn(given, point(8), whole)).steps

    assert [(step.asked, step.size, step.mean) for step in steps] == [(8, 8, 0.5), (None, 90, 1.0)]


def test_an_artefact_asked_other_items_is_left_out_and_named() -> None:
    whole = replace(point(None, learned=90), cell=cell(model="mini"), subset=None)

    curve = only(drawn({"mini": HALF[:5], "int8-8x0": HALF}, point(8), whole))

    assert len(curve.steps) == 1
    assert curve.notes == ("mini@int8 with all labels answered other items and is left out",)


def test_points_are_of_the_items_that_all_cells_answered() -> None:
    given = {"int8-8x0": [*HALF, True, True], "int8-32x0": RIGHT}

    curve = only(drawn(given, point(8), point(32)))

    assert (curve.n, curve.steps[0].mean) == (20, 0.5)


def test_a_refused_size_is_a_step_with_its_reason_and_says_nothing_else() -> None:
    refused = point(8, outcome="refused", reason="8 are too few", predictions_sha256=None)
    made = drawn({"giant": HALF, "int8-32x0": RIGHT}, refused, point(32), large())

    first, second = only(made).steps

    assert (first.absent, first.mean, first.against) == (("refused: 8 are too few",), None, ())
    assert second.against[0].status == "better"
    text = words.sheet(made)
    assert text.lines[0].cells[:3] == ("8", "-", "not measured")
    assert "mini@int8, 8 labelled items: refused: 8 are too few" in text.notes


def test_a_missing_draw_is_told_and_the_others_count() -> None:
    failed = point(8, 1, outcome="failed", reason="no room", predictions_sha256=None)

    (step,) = only(drawn({"int8-8x0": HALF}, point(8, 0), failed)).steps

    assert (step.scores, step.absent) == ((0.5,), ("failed: no room",))


def test_generalists_shown_examples_are_left_out_and_named() -> None:
    shown = large(prompt=prompted(8), cell=cell(model="giant", variant="int8-8shot"))
    asked = large(prompt=prompted())
    given = {"giant": HALF, "int8-8shot": RIGHT, "int8-8x0": RIGHT}

    made = drawn(given, point(8), asked, shown)

    assert [one.cell.variant for one in made.opponents] == ["int8"]
    assert made.notes == ("giant@int8-8shot was asked with examples and is left out",)
    assert "its prompt was chosen on 16 labelled items" in " ".join(words.sheet(made).notes)


def test_another_version_of_the_task_is_not_compared() -> None:
    made = drawn({"giant": HALF, "int8-8x0": RIGHT}, point(8), large(task_sha256="f" * 64))

    (against,) = only(made).steps[0].against
    assert against.status == "incomparable"
    assert "different versions of the task's card" in str(against.reason)
    assert only(made).learned[0].better_from is None


def test_a_generalist_asked_other_items_is_not_compared() -> None:
    given = {"int8-8x0": answered(RIGHT), "int8-32x0": answered(RIGHT[:5])}
    rival = answered(HALF)[5:]
    records = [point(8), point(32), large()]

    (made,) = learning.curves(
        [run(*records)], lambda r: given.get(r.cell.variant, rival), {"spam": card()}
    )

    assert only(made).n == 5
    assert statuses(made) == ["incomparable", "incomparable"]
    assert "no item in common" in str(only(made).steps[1].against[0].reason)


def test_without_a_generalist_the_curve_stands_alone_and_says_what_to_do() -> None:
    made = drawn({"int8-8x0": HALF}, point(8))

    assert words.NO_GENERALIST in words.sheet(made).notes


def test_runs_without_points_have_no_curve() -> None:
    assert learning.curves([run(large())], lambda _: None, {}) == ()


def test_points_of_curves_are_no_rivals_in_tables_and_verdicts() -> None:
    both: list[RunFile] = [run(point(8), large())]

    assert [record.cell.model for _, record in latest(both)] == ["giant"]
    (judged,) = verdict.judge(both, lambda _: answered(RIGHT), {})
    assert judged.pairs == ()


def test_the_interval_of_a_mean_of_draws_is_wilsons() -> None:
    given = {"int8-8x0": [True] * 12 + [False] * 8, "int8-8x1": [True] * 16 + [False] * 4}

    (step,) = only(drawn(given, point(8, 0), point(8, 1))).steps

    # 14 of 20 by hand: (14 + z2/2 +- z sqrt(14*6/20 + z2/4)) / (20 + z2), z = 1.959964.
    assert step.mean == pytest.approx(0.7)
    assert (step.low, step.high) == pytest.approx((0.48102, 0.85452), abs=1e-5)


def test_other_metrics_are_drawn_again_from_the_items() -> None:
    def reweigh(_: Record, given: Sequence[Prediction]) -> Any:
        marks = np.array([one.answer == one.expected for one in given], dtype=float)

        def metric(counts: Counts) -> Floats:
            return np.asarray(counts @ marks / counts.sum(axis=1))

        return metric

    records = [point(8, metric="f"), large(metric="f")]
    loaded = {"mini": answered(RIGHT), "giant": answered(HALF)}
    (made,) = learning.curves(
        [run(*records)], lambda r: loaded[r.cell.model], {"spam": card()}, reweigh
    )

    assert only(made).steps[0].mean == 1.0
    assert statuses(made) == ["better"]
    opponent = made.opponents[0]
    assert opponent.low is not None
    assert opponent.high is not None
    # A share of 20 has a standard error of .1118 at one half.
    assert (opponent.low, opponent.high) == pytest.approx((0.5 - 0.219, 0.5 + 0.219), abs=0.04)


def test_a_metric_that_cannot_be_drawn_again_is_said_to_be_absent() -> None:
    made = drawn({"int8-8x0": HALF, "giant": HALF}, point(8, metric="f"), large(metric="f"))

    assert only(made).steps[0].absent == ("f cannot be had of these 20 items",)
    assert made.opponents[0].score is None
    assert statuses(made) == ["incomparable"]


def test_a_scorer_that_refuses_to_draw_again_ends_no_table() -> None:
    def reweigh(record: Record, given: Sequence[Prediction]) -> Any:
        raise SteelyardError(f"{record.metric}: {len(given)} answers have no scores")

    records = [point(8, metric="f"), large(metric="f")]
    (made,) = learning.curves([run(*records)], lambda _: answered(HALF), {"spam": card()}, reweigh)

    assert only(made).steps[0].absent == ("f cannot be had of these 20 items",)
    assert only(made).steps[0].against[0].reason == "f: 20 answers have no scores"


def test_hostile_names_stay_on_one_line() -> None:
    rude = point(8, cell=cell(model="mini\x1b[31m\nx", variant="int8-8x0"))

    sheet = words.sheet(drawn({"int8-8x0": HALF}, rude))

    assert "\x1b" not in sheet.lines[0].role
    assert "\n" not in sheet.lines[0].role


STATUS = st.sampled_from(["better", "same", "worse", "undecided", "incomparable"])


@given(st.lists(STATUS, min_size=1, max_size=6))
def test_from_n_on_holds_at_every_larger_size_and_not_at_the_one_before(
    found: list[Status],
) -> None:
    giant = cell(model="giant")
    bouts = [(i + 1, Against(generalist=giant, status=one)) for i, one in enumerate(found)]

    start = crossing.since(bouts, ("better", "same"))

    held = [one in {"better", "same"} for one in found]
    if start is None:
        assert not held[-1]
    else:
        assert all(held[start - 1 :])
        assert start == 1 or not held[start - 2]
