"""What is said of each quantity, of all together, and in words."""

from __future__ import annotations

from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from tests.unit import builders

from steelyard import stats
from steelyard.cli.gate import STATUS
from steelyard.errors import OptionError
from steelyard.gate import lines, words
from steelyard.gate.arms import parse
from steelyard.gate.bounds import bounds
from steelyard.gate.paired import Block
from steelyard.gate.sequence import Looks
from steelyard.gate.types import Bounds, CellResult, Line, Result, worst
from steelyard.verdict.answers import Contrast

FIVE = Bounds(tolerated=0.02, margin=0.05)
LOOKS = Looks(blocks=(6,))
QUIET = (-0.004, 0.003, -0.001, 0.004, -0.003, 0.001)


def blocks(change: float, noise: float = 1.0) -> list[Block[float]]:
    return [Block(baseline=1e6, candidate=1e6 * exp(change + noise * one)) for one in QUIET]


def latency(change: float, noise: float = 1.0) -> Line:
    return lines.over_blocks("latency", blocks(change, noise), FIVE, LOOKS)


def test_no_change_is_ok_and_says_what_it_could_have_missed() -> None:
    (line,) = lines.together([latency(0.0)])

    assert line.status == "ok"
    assert line.estimate == pytest.approx(1.0)
    assert "would have been found (95 %)" in words.sentence(line)


def test_ten_per_cent_is_a_regression_with_its_ratio_and_interval() -> None:
    (line,) = lines.together([latency(0.1)])

    assert line.status == "regression"
    assert line.low is not None
    assert line.low > 1.02
    said = words.sentence(line)
    assert said.startswith("latency REGRESSION: 1.105 [1.1")
    assert "(1 ms -> 1.11 ms)" in said
    assert "beyond the 2 % that is tolerated" in said


def test_noise_is_neither_and_the_needed_blocks_are_named() -> None:
    (line,) = lines.together([latency(0.0, noise=20)])

    assert line.status == "inconclusive"
    assert line.needed is not None
    assert line.needed > 6
    assert "this device is noisy" in words.sentence(line)
    assert str(line.needed) in words.sentence(line)


def test_faster_is_ok() -> None:
    assert latency(-0.3).status == "ok"


def test_a_slow_down_within_the_margin_is_ok_though_it_is_shown() -> None:
    line = latency(0.03)

    assert line.p_value is not None
    assert line.p_value < 0.01
    assert lines.together([line])[0].status == "ok"


def test_holm_counts_all_lines_of_the_matrix() -> None:
    # Shown on its own at 0.004; one of three it is 0.012, above the level.
    weak = structs.replace(latency(0.0, noise=20), p_value=0.004)
    others = [structs.replace(weak, p_value=0.5), structs.replace(weak, p_value=0.9)]

    assert lines.together([weak])[0].status == "regression"
    found = lines.together([weak, *others])
    assert [line.status for line in found] == ["inconclusive"] * 3
    assert found[0].adjusted == pytest.approx(0.012)


def test_bytes_are_exact() -> None:
    within, beyond = (
        lines.of_size(1000, n, Bounds(tolerated=0, margin=0.01)) for n in (1010, 1011)
    )

    assert (within.status, beyond.status) == ("ok", "regression")
    assert lines.of_size(0, 5, FIVE).status == "absent"


def contrast(small: float, p_equal: float, p_worse: float) -> Contrast:
    return Contrast(
        n=100, small=small, large=0.9, difference=stats.Difference(small - 0.9, -0.2, 0.2),
        test="exact McNemar", p_equal=p_equal, p_small_worse=p_worse, p_large_worse=0.5,
        detectable=0.05, items_for_margin=900,
    )  # fmt: skip


def test_a_shown_loss_of_right_answers_is_a_regression() -> None:
    line = lines.of_score(contrast(0.7, 1e-4, 0.99), 0.01, "accuracy", flips=25)

    (found,) = lines.together([line])
    assert found.status == "regression"
    assert found.p_value == pytest.approx(5e-5)
    assert "25 of 100 answers changed" in words.sentence(found)


def test_answers_that_may_be_worse_are_inconclusive_and_say_how_many_items_would_do() -> None:
    (found,) = lines.together([lines.of_score(contrast(0.88, 0.5, 0.6), 0.01, "accuracy", 4)])

    assert found.status == "inconclusive"
    assert "about 900 items" in words.sentence(found)


def test_where_no_answer_changed_few_items_do() -> None:
    (found,) = lines.together([lines.of_score(contrast(0.9, 1.0, 0.6), 0.01, "accuracy", 0)])

    assert found.status == "ok"
    assert "not one answer changed" in words.sentence(found)
    assert "a loss of 0.050 or more" in words.sentence(found)


def test_better_answers_are_no_evidence_of_a_loss() -> None:
    line = lines.of_score(contrast(0.99, 1e-4, 1e-6), 0.01, "accuracy", 9)

    assert line.p_value == 1.0
    assert line.status == "ok"


def test_what_is_missing_is_worse_than_doubt_and_better_than_a_regression() -> None:
    assert worst(["ok", "inconclusive", "absent", "regression"]) == "regression"
    assert worst(["ok", "inconclusive", "absent"]) == "absent"
    assert worst(["ok", "inconclusive"]) == "inconclusive"
    assert worst([]) == "absent"
    assert STATUS == {"ok": 0, "regression": 1, "absent": 3, "inconclusive": 4}


def cell(*found: Line) -> CellResult:
    return CellResult(
        cell="toy/cpu-1t", baseline="toy/tiny@a/cpu-1t", candidate="toy/tiny@b/cpu-1t", lines=found
    )


def test_energy_without_a_sensor_leaves_the_gate_open_unless_it_was_asked_for() -> None:
    missing = lines.absent("energy", "no sensor", optional=True)

    assert cell(latency(0.0), missing).status == "ok"
    assert cell(latency(0.0), structs.replace(missing, optional=False)).status == "absent"


def test_a_result_tells_its_conclusion_first_and_names_the_regressed_cell() -> None:
    (line,) = lines.together([latency(0.1)])
    result = Result(
        schema=1, status="regression", mode="blocks", baseline="rev:main", candidate="tiny@b",
        device="cpu-1t", machine="Testium, 2 cores", started="2026-11-23T00:00:00+00:00",
        seconds=90.0, alpha=0.01, looks=(6,), cells=(cell(line),),
    )  # fmt: skip

    told = list(words.told(result))
    assert told[0] == "REGRESSION  (rev:main -> tiny@b)"
    (said,) = words.regressions(result)
    assert said.startswith("toy/cpu-1t: latency REGRESSION: 1.105 [")


def test_margins_follow_the_device() -> None:
    guest, board = builders.host(), structs.replace(builders.host(), board="Raspberry Pi 5")

    assert bounds("latency", guest).margin == 0.05
    assert bounds("latency", board).margin == 0.03
    emulated = structs.replace(board, emulated="qemu")
    assert bounds("latency", emulated).margin == 0.05
    assert bounds("latency", board, 0.1).tolerated == pytest.approx(0.04)


def test_an_arm_is_a_model_its_options_and_a_place() -> None:
    arm = parse("tiny@int8?intra_op_num_threads=2&spinning=true&level=all in rev:origin/main")

    assert (arm.model, arm.threads) == ("tiny@int8", 2)
    assert arm.options == {"spinning": True, "level": "all"}
    assert (arm.where, arm.place) == ("revision", "origin/main")


def test_an_arm_without_a_model_takes_the_gates() -> None:
    assert parse("env:/opt/old/bin/python", "tiny").model == "tiny"
    assert parse("?spinning=true", "tiny").options == {"spinning": True}
    assert parse("path:weights in here", None).model == "path:weights in here"


@pytest.mark.parametrize(
    "text",
    ["rev:", "rev:-x", "env:", "tiny?a", "tiny?a=", "tiny?a=1&a=2", "tiny?threads=0",
     "tiny?threads=x", "tiny?threads=1&intra_op_num_threads=1", "?a=1"],
)  # fmt: skip
def test_an_arm_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(OptionError):
        parse(text)


@given(st.text(max_size=40))
def test_any_text_is_an_arm_or_a_clear_refusal(text: str) -> None:
    try:
        arm = parse(text, "tiny")
    except OptionError:
        return
    assert arm.text == text
    assert arm.model
