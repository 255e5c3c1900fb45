"""Scores of spans, against values worked out by hand and other people's definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from steelyard.api import Answer, Label, Score
from steelyard.errors import PrepareError, SteelyardError
from steelyard.notation import Span, format_spans
from steelyard.recipes.span_tags import spans_of
from steelyard.scorers import spans as module
from steelyard.scorers.span_counts import characters, entities, tokens
from steelyard.scorers.spans import SpanScorer
from steelyard.stats import percentile_interval, wilson

KINDS = ("P", "G")
LABELS = tuple(Label(id=kind, words=kind.lower()) for kind in KINDS)
PII: dict[str, str | bool] = {"unit": "entity", "binary": True}

# Expected and answered: one right and one a character too long; one out of nothing; one missed;
# nothing where nothing is. Entities: 1 right, 3 expected, 3 answered; characters: 8, 10, 12.
ITEMS: list[tuple[list[Span], list[Span]]] = [
    ([(0, 4, "P"), (10, 14, "G")], [(0, 4, "P"), (10, 15, "G")]),
    ([], [(2, 5, "P")]),
    ([(0, 2, "P")], []),
    ([], []),
]

patient = settings(deadline=None, max_examples=40)
one_span = st.tuples(st.integers(0, 8), st.integers(1, 5), st.sampled_from(KINDS)).map(
    lambda drawn: (drawn[0], drawn[0] + drawn[1], drawn[2])
)
some_spans = st.lists(one_span, max_size=4, unique=True)
some_items = st.lists(st.tuples(some_spans, some_spans), min_size=1, max_size=12)


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAWS", 200)


def scores(items: list[tuple[list[Span], list[Span]]], **options: str | bool) -> dict[str, Score]:
    """Score pairs of expected and answered spans."""
    answers = [Answer(label=format_spans(said)) for _, said in items]
    expected = [format_spans(truth) for truth, _ in items]
    return {one.metric: one for one in SpanScorer().score(answers, expected, LABELS, options)}


def values(items: list[tuple[list[Span], list[Span]]], **options: str | bool) -> dict[str, float]:
    return {name: score.value for name, score in scores(items, **options).items()}


def test_precision_recall_and_f_are_those_worked_out_by_hand() -> None:
    found = values(ITEMS, **PII)

    assert found == pytest.approx(
        {
            "entity-f1": 1 / 3,
            "entity-precision": 1 / 3,
            "entity-recall": 1 / 3,
            "exact-match": 1 / 4,
            "binary-f2": 40 / 52,  # 5 x 8 / (4 x 10 + 12)
            "binary-precision": 8 / 12,
            "binary-recall": 8 / 10,
        }
    )


def test_the_wanted_metric_comes_first() -> None:
    assert next(iter(scores(ITEMS, **PII))) == "entity-f1"
    assert next(iter(scores(ITEMS, metric="binary-f2", **PII))) == "binary-f2"
    assert next(iter(scores(ITEMS, unit="token"))) == "token-f1"


def test_a_span_of_another_type_is_wrong_as_an_entity_and_right_as_characters() -> None:
    assert entities([(0, 4, "P")], [(0, 4, "G")]) == (0, 1, 1)
    assert characters([(0, 4, "P")], [(0, 4, "G")]) == (4, 4, 4)


def test_characters_of_overlapping_answers_count_once() -> None:
    assert characters([(0, 4, "P")], [(0, 3, "P"), (1, 4, "G")]) == (4, 4, 4)


def test_a_span_over_several_tokens_names_each_of_them() -> None:
    expected: list[Span] = [(0, 3, "P"), (4, 6, "G"), (7, 9, "G")]

    assert tokens(expected, [(0, 3, "P"), (4, 9, "G")]) == (3, 3, 3)
    assert tokens(expected, [(0, 3, "P"), (4, 9, "P")]) == (1, 3, 3)
    assert tokens(expected, [(0, 2, "P")]) == (1, 3, 1)
    assert tokens(expected, []) == (0, 3, 0)


def test_a_token_has_the_type_that_holds_most_of_it() -> None:
    assert tokens([(0, 10, "P")], [(0, 4, "G"), (4, 10, "P")]) == (1, 1, 1)
    assert tokens([(0, 10, "P")], [(0, 6, "G"), (6, 10, "P")]) == (0, 1, 1)


def test_an_answer_beside_all_tokens_costs_precision() -> None:
    assert tokens([(0, 3, "P")], [(0, 3, "P"), (5, 8, "G")]) == (1, 1, 2)


def test_whole_items_of_tokens_are_right_however_the_answer_is_cut() -> None:
    items: list[tuple[list[Span], list[Span]]] = [
        ([(0, 3, "P"), (4, 6, "P")], [(0, 6, "P")]),
        ([(0, 3, "P")], [(0, 3, "G")]),
    ]

    found = scores(items, unit="token")

    assert found["exact-match"].value == 0.5
    assert (found["exact-match"].low, found["exact-match"].high) == wilson(1, 2)


@patient
@given(some_items)
def test_entity_scores_are_scikit_learn_s(items: list[tuple[list[Span], list[Span]]]) -> None:
    truth, said = [], []
    for expected, answered in items:
        for span in {*expected, *answered}:
            truth.append(span in expected)
            said.append(span in answered)
    if not truth:
        return

    found = values(items)

    f1 = reference.f1_score(truth, said, zero_division=0)  # pyright: ignore[reportArgumentType]
    assert found["entity-f1"] == pytest.approx(f1)
    assert ("entity-precision" in found) == any(said)
    if any(said):
        assert found["entity-precision"] == pytest.approx(reference.precision_score(truth, said))


@patient
@given(some_items)
def test_binary_scores_are_scikit_learn_s(items: list[tuple[list[Span], list[Span]]]) -> None:
    if not any(expected or answered for expected, answered in items):
        return
    text = range(15)
    truth = [any(a <= c < b for a, b, _ in expected) for expected, _ in items for c in text]
    said = [any(a <= c < b for a, b, _ in answered) for _, answered in items for c in text]

    found = values(items, **PII)

    f2 = reference.fbeta_score(truth, said, beta=2, zero_division=0)  # pyright: ignore[reportArgumentType]
    assert found["binary-f2"] == pytest.approx(f2)


tag_lists = st.lists(st.sampled_from(["O", "B-P", "I-P", "B-G", "I-G"]), min_size=1, max_size=9)


@patient
@given(st.lists(st.tuples(tag_lists, tag_lists), min_size=1, max_size=6))
def test_entity_f1_of_tags_is_seqeval_s(drawn: list[tuple[list[str], list[str]]]) -> None:
    seqeval = pytest.importorskip("seqeval.metrics")
    cut = [(a[: len(b)], b[: len(a)]) for a, b in drawn]
    items = []
    for truth, said in cut:
        at = [(2 * n, 2 * n + 1) for n in range(len(truth))]
        items.append((spans_of(truth, at), spans_of(said, at)))
    if not any(truth or said for truth, said in items):
        return

    expected = seqeval.f1_score([a for a, _ in cut], [b for _, b in cut], zero_division=0)

    assert values(items)["entity-f1"] == pytest.approx(expected)


@patient
@given(some_items, st.data())
def test_a_weighted_draw_scores_as_the_items_it_drew(
    items: list[tuple[list[Span], list[Span]]], data: st.DataObject
) -> None:
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(items), max_size=len(items)))
    answers = [Answer(label=format_spans(said)) for _, said in items]
    expected = [format_spans(truth) for truth, _ in items]
    drawn = [item for item, times in zip(items, counts, strict=True) for _ in range(times)]

    metric = SpanScorer().weighted(answers, expected, LABELS, {})
    found = float(metric(np.array([counts], np.int64))[0])

    if any(truth or said for truth, said in drawn):
        assert found == pytest.approx(values(drawn)["entity-f1"])
    else:
        assert np.isnan(found)


def test_the_interval_is_that_of_the_items_drawn() -> None:
    counted = np.array([[1, 2, 2], [0, 0, 1], [0, 1, 0], [0, 0, 0]])
    drawn = np.random.default_rng(0).integers(0, 4, size=(200, 4))
    sums = counted[drawn].sum(axis=1)
    f1 = [2 * right / (asked + said) for right, asked, said in sums if asked + said]

    found = scores(ITEMS)["entity-f1"]

    assert (found.low, found.high) == pytest.approx(percentile_interval(np.array(f1)))


def test_what_was_never_answered_has_no_precision() -> None:
    found = values([([(0, 2, "P")], [])], **PII)

    assert found["entity-f1"] == 0
    assert "entity-precision" not in found


def test_nothing_expected_and_nothing_answered_has_no_f1() -> None:
    with pytest.raises(SteelyardError, match="no 'entity-f1'"):
        scores([([], [])])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("[[0,2,", "answer 0: .* is no list of spans"),
        ('[[0,2,"X"]]', "answer 0: 'X' is not a label of the task"),
        ('[[2,2,"P"]]', "answer 0: a span from 2 to 2 holds nothing"),
    ],
)
def test_an_answer_that_is_no_spans_is_refused(answer: str, said: str) -> None:
    with pytest.raises(SteelyardError, match=said):
        SpanScorer().score([Answer(label=answer)], ["[]"], LABELS, {})


def test_no_answers_and_missing_answers_are_refused() -> None:
    with pytest.raises(SteelyardError, match="nothing to score"):
        SpanScorer().score([], [], LABELS, {})
    with pytest.raises(SteelyardError, match="1 answers for 2 items"):
        SpanScorer().score([Answer(label="[]")], ["[]", "[]"], LABELS, {})


def test_unknown_options_and_metrics_are_refused() -> None:
    with pytest.raises(PrepareError, match=r"scorer\.options"):
        scores(ITEMS, unit="word")
    with pytest.raises(SteelyardError, match="no 'binary-f2'"):
        scores(ITEMS, metric="binary-f2")
    with pytest.raises(SteelyardError, match="no 'binary-f2'"):
        SpanScorer().weighted([Answer(label="[]")], ["[]"], LABELS, {"metric": "binary-f2"})
