"""What `steelyard cascade` says of a gain: whether one is shown comes first."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import structs
from tests.unit.test_cascade_making import made, pair

from steelyard.cascade.types import Cascade, Gain, Share
from steelyard.cli import cascade_text as text
from steelyard.cli.cascade import command

PUBLISHED = Path(__file__).resolve().parents[2] / "results" / "default"


def with_gain(found: Cascade, cascade: float, specialist: float, generalist: float) -> Cascade:
    gain = cascade - specialist
    expected = structs.replace(
        found.expected,
        accuracy=share(cascade),
        specialist=share(specialist),
        generalist=share(generalist),
        over_specialist=Gain(value=gain, low=gain - 0.03, high=gain + 0.03, p_value=0.5),
    )
    return structs.replace(found, expected=expected)


def share(value: float) -> Share:
    return Share(value=value, low=value - 0.05, high=value + 0.05, n=100)


def test_a_gain_is_shown_with_its_interval_before_what_to_use() -> None:
    first, second, third, *_ = text.verdict(made(pair()))

    assert first.startswith("A gain is shown: +")
    assert "over the specialist alone" in first
    assert second.startswith("use: ask the generalist at a confidence of ")
    assert "(threshold chosen on other items than those it is judged on)" in third


def test_no_gain_shown_names_who_answers_best() -> None:
    found = with_gain(made(pair()), 0.96, 0.97, 0.85)

    assert text.conclusion(found.expected) == (
        "No gain shown: the specialist alone answers best on these 100 items (0.970; "
        "the generalist alone 0.850, the cascade 0.960); -1.0 points [-4.0,+2.0] "
        "over the specialist alone."
    )
    assert not text.gains(found.expected)


def test_a_gain_over_the_specialist_does_not_hide_a_better_generalist() -> None:
    said = text.conclusion(with_gain(made(pair()), 0.9, 0.8, 0.95).expected)

    assert said.startswith("A gain is shown: +10.0 points [+7.0,+13.0]")
    assert "the generalist alone answers best" in said


def test_a_threshold_that_asks_nobody_is_told_as_that() -> None:
    found = made(pair())
    assert found.chosen is not None
    chosen = structs.replace(found.chosen, threshold=0.0, escalated=0.0)

    lines = list(text.verdict(structs.replace(found, chosen=chosen)))

    assert lines[1].startswith("use: the specialist alone: a threshold of 0 asks nobody else (")


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="results/ is not beside an installed wheel")
def test_a_threshold_without_a_gain_is_written_with_a_warning(tmp_path: Path) -> None:
    output = tmp_path / "threshold.json"
    cells = ["--specialist", "tfidf-linear@fp32", "--generalist", "qwen2.5-coder-1.5b@int8"]

    done = CliRunner().invoke(
        command, [str(PUBLISHED), "--task", "spam", *cells, "-o", str(output)]
    )

    assert output.is_file()
    assert "warning: No gain shown: the specialist alone answers best" in done.stderr
    assert "warning" not in done.stdout
