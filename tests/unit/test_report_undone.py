"""What a report says was not tried for its generalists: only what was not."""

from __future__ import annotations

from msgspec import UNSET, UnsetType
from msgspec.structs import replace
from tests.unit import builders
from tests.unit.verdicts import run

from steelyard.api import Score
from steelyard.record import Normalisation, PromptChoice, Record
from steelyard.report.notes import legend
from steelyard.report.rows import tables

SAID = "Not done for generalists, though known to help them: "
SCORED = (Score(metric="accuracy", value=0.9, n=100),)


def prompt(normalisation: Normalisation | None) -> PromptChoice:
    return PromptChoice(
        paraphrase=0,
        normalisation=normalisation,
        calibration="none",
        shots=0,
        accuracy=0.9,
        n=32,
        candidates=(("0", 0.9),),
        prefix="",
        suffix="",
        max_chars=1200,
    )


def generalist(model: str, way: Normalisation | UnsetType | None = UNSET) -> Record:
    made = builders.record(
        cell=builders.cell(model=model), role="generalist", metric="accuracy", scores=SCORED
    )
    return made if way is UNSET else replace(made, prompt=prompt(way))


def undone(*records: Record) -> list[str]:
    said = legend(tables([run(*records)]))
    return [line.removeprefix(SAID) for line in said if line.startswith(SAID)]


def test_generalists_whose_labels_are_scored_generate_nothing() -> None:
    assert undone(generalist("a", "sum")) == ["retrieval, reasoning, fine-tuning, free generation."]


def test_generalists_that_write_have_generated_freely() -> None:
    assert undone(generalist("a", None)) == ["retrieval, reasoning, fine-tuning."]


def test_where_only_some_write_it_is_said() -> None:
    (said,) = undone(generalist("a", None), generalist("b", "mean"))

    assert said.endswith(", free generation, but where a row says that its answers are written.")


def test_a_generalist_that_is_not_asked_in_words_is_only_not_tuned() -> None:
    assert undone(generalist("whisper")) == ["fine-tuning."]


def test_without_a_generalist_that_answered_nothing_is_said() -> None:
    failed = replace(generalist("a"), outcome="out_of_memory", scores=())

    assert undone(builders.record(role="specialist")) == []
    assert undone(failed) == []
