"""Scores against scikit-learn's definitions, and what cannot be scored."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from steelyard.api import Answer, Label, Score
from steelyard.errors import PrepareError, SteelyardError
from steelyard.scorers import classification, confusion, ranking
from steelyard.scorers.classification import Classification
from steelyard.stats import wilson

IDS = ("a", "b", "c", "d")
LABELS = tuple(Label(id=name, words=name) for name in IDS)
SPAM = (Label(id="ham", words="legitimate"), Label(id="spam", words="spam"))
EXACT = 1e-12

patient = settings(deadline=None, max_examples=25)
pairs = st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)), min_size=1, max_size=60)


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classification, "DRAWS", 200)


def scored(pairs: list[tuple[str, str]], **options: str | float) -> dict[str, Score]:
    """Score pairs of expected and answered label."""
    answers = [Answer(label=said) for _, said in pairs]
    found = Classification().score(answers, [truth for truth, _ in pairs], LABELS, options)
    return {score.metric: score for score in found}


def numbered(pairs: list[tuple[str, str]]) -> np.ndarray:
    truth, said = (np.array([IDS.index(pair[side]) for pair in pairs]) for side in (0, 1))
    return confusion.confusion(truth, said, len(IDS))


@patient
@given(pairs)
def test_macro_f1_is_scikit_learn_s(pairs: list[tuple[str, str]]) -> None:
    truth, said = zip(*pairs, strict=True)
    expected = reference.f1_score(truth, said, average="macro", zero_division=0)  # pyright: ignore[reportArgumentType]

    assert float(confusion.macro_f1(confusion.totals(numbered(pairs)))) == pytest.approx(
        expected, abs=EXACT
    )


@pytest.mark.filterwarnings("ignore:A single label was found")
@patient
@given(pairs)
def test_mcc_is_scikit_learn_s(pairs: list[tuple[str, str]]) -> None:
    truth, said = zip(*pairs, strict=True)
    expected = reference.matthews_corrcoef(truth, said)

    assert float(confusion.matthews(confusion.totals(numbered(pairs)))) == pytest.approx(
        expected, abs=EXACT
    )


@patient
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=2, max_size=60),
    st.sampled_from([0.0, 0.01, 0.1, 0.25, 0.5, 1.0]),
)
def test_recall_at_a_rate_is_scikit_learn_s(items: list[tuple[bool, int]], rate: float) -> None:
    positive = np.array([True, False, *(truth for truth, _ in items)])
    scores = np.array([3.0, 3.0, *(score / 4 for _, score in items)])
    curve = reference.roc_curve(positive, scores, drop_intermediate=False)

    found = ranking.recall_at_fpr(positive, scores, rate)

    assert found == pytest.approx(curve[1][curve[0] <= rate].max(), abs=EXACT)


def test_accuracy_is_a_proportion_with_wilson_s_interval() -> None:
    accuracy = scored([("a", "a")] * 3 + [("a", "b")])["accuracy"]

    assert (accuracy.value, accuracy.n, accuracy.method) == (0.75, 4, "Wilson")
    assert (accuracy.low, accuracy.high) == wilson(3, 4)


def test_bootstrap_intervals_hold_the_value_and_are_the_same_each_time() -> None:
    pairs = [("a", "a"), ("b", "b"), ("c", "b"), ("a", "c")] * 20

    first, second = scored(pairs), scored(pairs)

    assert first == second
    for metric in ("macro-f1", "mcc"):
        low, high = first[metric].low, first[metric].high
        assert low is not None
        assert high is not None
        assert low < first[metric].value < high


def test_drawing_cells_is_drawing_items() -> None:
    pairs = [("a", "a")] * 30 + [("a", "b")] * 10 + [("b", "b")] * 20 + [("b", "a")] * 5
    matrix = numbered(pairs)
    items = np.array([IDS.index(t) * 4 + IDS.index(s) for t, s in pairs])
    picked = items[np.random.default_rng(1).integers(0, 65, size=(1500, 65))]
    matrices = [np.bincount(row, minlength=16).reshape(4, 4) for row in picked]
    by_item = [float(confusion.macro_f1(confusion.totals(one))) for one in matrices]

    by_cell = confusion.draws(matrix, 1500, seed=2)

    assert confusion.macro_f1(by_cell).std() == pytest.approx(np.std(by_item), rel=0.1)
    assert (by_cell.expected.sum(axis=1) == 65).all()
    assert (by_cell.answered.sum(axis=1) == 65).all()


def test_drawing_recall_spreads_as_drawing_items_does() -> None:
    generator = np.random.default_rng(3)
    positive = generator.random(80) < 0.4
    scores = generator.random(80).round(1) + 0.5 * positive
    rows = np.random.default_rng(4).integers(0, 80, size=(600, 80))
    one_by_one = [ranking.recall_at_fpr(positive[row], scores[row], 0.1) for row in rows]

    drawn = ranking.recall_draws(positive, scores, 0.1, 600, seed=5)

    assert drawn.mean() == pytest.approx(np.mean(one_by_one), abs=0.03)
    assert drawn.std() == pytest.approx(np.std(one_by_one), rel=0.2)


def test_draws_that_lack_a_class_are_left_out() -> None:
    drawn = ranking.recall_draws(np.array([True, False]), np.array([1.0, 0.0]), 0.5, 400, seed=0)

    assert 0 < len(drawn) < 400
    assert np.isfinite(drawn).all()


def mail_scores(*items: tuple[str, float], **options: str | float) -> list[Score]:
    """Score messages of a true label and a log-likelihood of spam beside -1 for ham."""
    answers = [Answer(label="spam" if s > -1 else "ham", scores=(-1.0, s)) for _, s in items]
    return Classification().score(answers, [truth for truth, _ in items], SPAM, options)


def test_recall_needs_a_positive_label_and_scores() -> None:
    items = (("ham", -3.0), ("ham", -0.5), ("spam", -0.2), ("spam", -2.0))

    with_scores = mail_scores(*items, positive="spam", max_fpr=0.1)

    assert [s.metric for s in with_scores][-1] == "recall-at-fpr-0.1"
    assert with_scores[-1].value == 0.5
    assert "recall-at-fpr-0.1" not in [s.metric for s in mail_scores(*items)]


def test_recall_ranks_by_the_margin_and_not_by_an_unnormalised_score() -> None:
    # The second message is longer: both its log-likelihoods are lower, spam's clearly less so.
    answers = [Answer(label="ham", scores=(-1.0, -3.0)), Answer(label="spam", scores=(-20.0, -9.0))]

    found = Classification().score(answers, ["ham", "spam"], SPAM, {"positive": "spam"})

    assert found[-1].value == 1.0


def test_the_wanted_metric_comes_first() -> None:
    assert next(iter(scored([("a", "a"), ("b", "a")], metric="macro-f1"))) == "macro-f1"


def test_one_constant_label_has_no_correlation() -> None:
    assert scored([("a", "a"), ("a", "a")])["mcc"].value == 0.0


@pytest.mark.parametrize(
    ("answers", "expected", "said"),
    [
        ([], [], "nothing to score: there are no answers"),
        ([Answer(label="a")], ["a", "b"], "1 answers for 2 items"),
        ([Answer(label="x")], ["a"], "answer 0: 'x' is not a label of the task"),
        ([Answer(label="a")], ["x"], "item 0: 'x' is not a label of the task"),
        ([Answer(label="a", scores=(1.0,))], ["a"], "answer 0: 1 scores for 4 labels"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    answers: list[Answer], expected: list[str], said: str
) -> None:
    with pytest.raises(SteelyardError, match=said):
        Classification().score(answers, expected, LABELS, {})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"positive": "x"}, "scorer.options.positive: 'x' is not a label"),
        ({"max_fpr": 2.0}, "expected 0 to 1"),
        ({"colour": "red"}, "unknown field `colour`"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(
    options: dict[str, str | float], said: str
) -> None:
    with pytest.raises(PrepareError, match=said):
        Classification().score([Answer(label="a")], ["a"], LABELS, options)


def test_a_wanted_metric_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(SteelyardError, match="no 'auroc'; there is accuracy, macro-f1, mcc"):
        scored([("a", "a")], metric="auroc")


@patient
@given(pairs)
def test_f1_of_a_label_is_scikit_learn_s(pairs: list[tuple[str, str]]) -> None:
    truth, said = zip(*pairs, strict=True)
    expected = reference.f1_score(truth, said, labels=["b"], average="macro", zero_division=0)  # pyright: ignore[reportArgumentType]

    assert float(confusion.f1_of(confusion.totals(numbered(pairs)), 1)) == pytest.approx(
        expected, abs=EXACT
    )


def test_f1_needs_a_positive_label_and_has_an_interval() -> None:
    pairs = [("a", "a")] * 6 + [("a", "b")] * 2 + [("b", "a")] * 4 + [("b", "b")] * 8

    f1 = scored(pairs, metric="f1", positive="a")["f1"]

    # Precision 6/10, recall 6/8.
    assert f1.value == pytest.approx(2 / (10 / 6 + 8 / 6))
    assert f1.low is not None
    assert f1.high is not None
    assert f1.low < f1.value < f1.high
    with pytest.raises(SteelyardError, match="no 'f1'; there is accuracy, macro-f1, mcc"):
        scored(pairs, metric="f1")


def test_f1_of_drawn_items_is_that_of_the_items_repeated() -> None:
    pairs = [("a", "a"), ("a", "b"), ("b", "a"), ("b", "b"), ("a", "a")]
    answers = [Answer(label=said) for _, said in pairs]
    options = {"metric": "f1", "positive": "a"}
    weigh = Classification().weighted(answers, [truth for truth, _ in pairs], LABELS, options)

    drawn = weigh(np.array([[1, 1, 1, 1, 1], [2, 0, 1, 0, 3], [0, 0, 0, 2, 0]]))

    # Two right of three expected and three said; five right of six said; nothing to find.
    assert drawn == pytest.approx([2 / 3, 2 * 5 / (5 + 6), 0.0])
