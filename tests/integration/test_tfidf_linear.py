"""The exported TF-IDF + linear SVM against scikit-learn's own pipeline."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.api import Answer, BuildReport, BuildRequest, Item, Label, SessionSpec, TrainingSet
from steelyard.backends.ort import OnnxRuntime
from steelyard.errors import PrepareError, WorkerError
from steelyard.recipes.tfidf_linear import TfidfLinear

pytestmark = pytest.mark.export
text_module = pytest.importorskip("sklearn.feature_extraction.text")
pytest.importorskip("onnx")

WORDS = {
    "oil": ["crude", "barrel", "opec", "well", "naïve", "oil"],
    "grain": ["wheat", "maize", "harvest", "crop", "Ernte", "grain"],
    "ship": ["vessel", "port", "cargo", "Straße", "貨物", "shipping"],
}
UNSEEN = ("", "   \n\t ", "!!!", "Ωμέγα 🙂 x", "a", "İstanbul ǅ ß", "opec\u2028WHEAT\x85crop  opec")


def texts(n: int, seed: int = 0) -> Iterator[tuple[str, str]]:
    draw = random.Random(seed)  # noqa: S311  (toy data)
    names = sorted(WORDS)
    for number in range(n):
        label = names[number % len(names)]
        words = draw.choices(WORDS[label], k=6) + draw.choices(
            [word for words in WORDS.values() for word in words], k=3
        )
        yield label, " ".join(words)


def task(
    n: int = 90, labels: tuple[str, ...] = tuple(sorted(WORDS)), folds: int = 1
) -> TrainingSet:
    items = tuple(
        Item(
            id=f"i{number}",
            text=text,
            label=label,
            fold=None if folds == 1 else number // 3 % folds,
        )
        for number, (label, text) in enumerate(texts(n))
        if label in labels
    )
    return TrainingSet(
        task="toy", labels=tuple(Label(id=i, words=i) for i in labels), folds=folds, items=items
    )


def build(training: TrainingSet, out: Path, **options: Any) -> BuildReport:
    request = BuildRequest(files={}, options=options, threads=1, training=training)
    assert TfidfLinear().refuse(request) is None
    return TfidfLinear().build(request, out)


def open_session(training: TrainingSet, folder: Path) -> Any:
    spec = SessionSpec(
        artifact=str(folder), session="linear", threads=1, labels=training.labels, options={}
    )
    assert OnnxRuntime().refuse(spec) is None
    return OnnxRuntime().open(spec)


def answer(session: Any, text: str) -> Answer:
    decoded = session.decode(session.infer(session.encode(text)))
    assert isinstance(decoded, Answer)
    return decoded


@pytest.mark.parametrize(
    ("features", "sublinear"),
    [("word:1-2", True), ("char:2-5", False), ("word:1-2+char:1-4", True)],
)
@pytest.mark.parametrize("labels", [tuple(sorted(WORDS)), ("grain", "oil")])
def test_scores_equal_scikit_learns_decision_function(
    tmp_path: Path, features: str, sublinear: bool, labels: tuple[str, ...]
) -> None:
    training = task(labels=labels)
    build(training, tmp_path, features=[features], cost=["1"], sublinear=sublinear)
    session = open_session(training, tmp_path / "fold-0")
    decide = sklearn_decision(training, features, sublinear=sublinear)

    for text in [*UNSEEN, *(text for _, text in texts(20, seed=1))]:
        assert answer(session, text).scores == pytest.approx(decide(text), abs=1e-5)


def sklearn_decision(training: TrainingSet, features: str, *, sublinear: bool) -> Any:
    from sklearn.pipeline import FeatureUnion, make_pipeline
    from sklearn.svm import LinearSVC

    parts = []
    for name in features.split("+"):
        analyser, _, lengths = name.partition(":")
        parts.append(
            (
                name,
                text_module.TfidfVectorizer(
                    analyzer="word" if analyser == "word" else "char_wb",
                    ngram_range=tuple(int(n) for n in lengths.split("-")),
                    sublinear_tf=sublinear,
                    dtype=np.float32,
                ),
            )
        )
    pipeline = make_pipeline(FeatureUnion(parts), LinearSVC(C=1.0, random_state=0))
    pipeline.fit([i.text for i in training.items], [i.label for i in training.items])

    def decide(text: str) -> list[float]:
        scores = np.atleast_1d(pipeline.decision_function([text])[0])
        return [-scores[0], scores[0]] if scores.size == 1 else scores.tolist()

    return decide


@given(text=st.text(max_size=60))
@settings(max_examples=150, deadline=None)
@pytest.mark.parametrize("analyser", ["word", "char_wb"])
def test_the_analysers_find_the_ngrams_that_scikit_learn_finds(analyser: Any, text: str) -> None:
    from collections import Counter

    from steelyard.backends.ort.linear import Family, Weigher

    expected = Counter(
        text_module.CountVectorizer(analyzer=analyser, ngram_range=(1, 3)).build_analyzer()(text)
    )
    vocabulary = sorted(expected)
    family = Family(
        analyser=analyser, shortest=1, longest=3, sublinear=False, vocabulary="", idf=""
    )
    idf = np.ones(len(vocabulary), np.float32)
    ids, weights = Weigher(family, vocabulary, idf).weigh(text.lower())

    norm = sum(count**2 for count in expected.values()) ** 0.5
    found = {vocabulary[i]: w * norm for i, w in zip(ids, weights, strict=True)}
    assert found == pytest.approx(dict(expected), rel=1e-4)


def test_two_builds_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        build(task(), tmp_path / name)

    files = sorted(path.name for path in (tmp_path / "a" / "fold-0").iterdir())
    assert "linear.onnx" in files
    for name in files:
        ours, theirs = (tmp_path / run / "fold-0" / name for run in ("a", "b"))
        assert ours.read_bytes() == theirs.read_bytes()


def test_each_fold_is_complete_and_the_choice_is_noted(tmp_path: Path) -> None:
    training = task(folds=3)

    report = build(training, tmp_path)

    assert [note.partition(":")[0] for note in report.notes] == ["fold 0", "fold 1", "fold 2"]
    assert "3-fold accuracy" in report.notes[0]
    assert report.labelled_items == 60
    for fold in range(3):
        session = open_session(training, tmp_path / f"fold-{fold}")
        held_out = [item for item in training.items if item.fold == fold]
        hits = sum(answer(session, item.text).label == item.label for item in held_out)
        assert hits / len(held_out) > 0.9


def test_a_label_without_train_items_is_never_the_answer(tmp_path: Path) -> None:
    training = task(labels=("grain", "oil"))
    labels = (*training.labels, Label(id="tin", words="tin"))
    wider = TrainingSet(task="toy", labels=labels, folds=1, items=training.items)
    build(wider, tmp_path)

    assert answer(open_session(wider, tmp_path / "fold-0"), "tin tin").label != "tin"


def test_an_artefact_for_other_labels_is_refused(tmp_path: Path) -> None:
    build(task(), tmp_path)
    other = task(labels=("grain", "oil"))

    with pytest.raises(WorkerError, match="made for other labels"):
        open_session(other, tmp_path / "fold-0")


def test_one_label_cannot_be_trained(tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match="fewer than two labels"):
        build(task(labels=("oil",)), tmp_path)


def test_an_unknown_option_is_refused_with_the_known_ones() -> None:
    request = BuildRequest(files={}, options={"C": 1}, threads=1, training=task())

    assert "unknown C; known: class_weight" in str(TfidfLinear().refuse(request))
