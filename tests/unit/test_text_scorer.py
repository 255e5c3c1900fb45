"""Scores of texts: by hand, and against an independent library."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.api import Answer, Score
from steelyard.errors import PrepareError, SteelyardError
from steelyard.scorers import text as module
from steelyard.scorers.text import TextScorer, distance

patient = settings(deadline=None, max_examples=60)
some_text = st.text("abß 1,", min_size=1, max_size=12).filter(lambda drawn: bool(drawn.strip()))
some_pairs = st.lists(st.tuples(some_text, st.text("abß 1,", max_size=12)), min_size=1, max_size=6)


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAWS", 200)


def scores(pairs: list[tuple[str, str]], **options: bool) -> dict[str, Score]:
    """Score pairs of what was expected and what was read."""
    answers = [Answer(label=read) for _, read in pairs]
    found = TextScorer().score(answers, [truth for truth, _ in pairs], (), options)
    return {score.metric: score for score in found}


def test_rates_are_those_worked_out_by_hand() -> None:
    found = scores([("IBAN DE03", "IBAN DEO3"), ("net 5", "net"), ("due", "due")])

    # Characters: 1 of 9 replaced, 2 of 5 missed, 0 of 3. Words: 1 of 2, 1 of 2, 0 of 1.
    assert found["cer"].value == pytest.approx(3 / 17)
    assert found["wer"].value == pytest.approx(2 / 5)
    assert found["exact-match"].value == pytest.approx(1 / 3)
    assert next(iter(found)) == "cer"


def test_what_is_not_there_can_cost_more_than_the_whole_line() -> None:
    assert scores([("ab", "xxxxx")])["cer"].value == pytest.approx(2.5)


def test_runs_of_blanks_and_the_form_of_letters_do_not_count() -> None:
    assert scores([("Öl  5", " O\u0308l 5 ")])["cer"].value == 0


def test_case_and_blanks_count_unless_the_task_says_otherwise() -> None:
    pairs = [("e. K.", "e.k.")]

    assert scores(pairs)["cer"].value == pytest.approx(2 / 5)
    assert scores(pairs, ignore_case=True)["cer"].value == pytest.approx(1 / 5)
    assert scores(pairs, ignore_case=True, ignore_blanks=True)["cer"].value == 0


@patient
@given(st.text("abc", max_size=9), st.text("abc", max_size=9))
def test_distances_are_rapidfuzz_s(one: str, other: str) -> None:
    rapidfuzz = pytest.importorskip("rapidfuzz.distance")

    assert distance(one, other) == rapidfuzz.Levenshtein.distance(one, other)


@patient
@given(some_pairs, st.data())
def test_a_weighted_draw_scores_as_the_items_it_drew(
    pairs: list[tuple[str, str]], data: st.DataObject
) -> None:
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(pairs), max_size=len(pairs)))
    drawn = [pair for pair, times in zip(pairs, counts, strict=True) for _ in range(times)]
    answers = [Answer(label=read) for _, read in pairs]

    metric = TextScorer().weighted(answers, [truth for truth, _ in pairs], (), {})
    found = float(metric(np.array([counts], np.int64))[0])

    if drawn:
        assert found == pytest.approx(scores(drawn)["cer"].value)
    else:
        assert np.isnan(found)


def test_a_single_item_has_no_interval() -> None:
    assert scores([("a", "b")])["cer"].low is None


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(SteelyardError, match="nothing to score"):
        scores([])
    with pytest.raises(SteelyardError, match="1 answers for 2 items"):
        TextScorer().score([Answer(label="a")], ["a", "b"], (), {})
    with pytest.raises(SteelyardError, match="item 0: the text expected of it is empty"):
        scores([(" ", "a")])
    with pytest.raises(PrepareError, match=r"scorer\.options"):
        scores([("a", "a")], ignore_accents=True)
