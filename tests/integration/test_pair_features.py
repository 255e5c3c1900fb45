"""The recipe `pair-features`, from labelled pairs to answers, against scikit-learn's own model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steelyard.api import BuildReport, BuildRequest, Item, Label, SessionSpec, TrainingSet
from steelyard.backends.ort import OnnxRuntime
from steelyard.errors import PrepareError, WorkerError
from steelyard.recipes import pair_features as recipe

pytestmark = pytest.mark.export
pytest.importorskip("sklearn")
pytest.importorskip("skl2onnx")

LABELS = (Label(id="other", words="different"), Label(id="match", words="the same"))
BRANDS = ("Canon", "Epson", "Dymo", "Zebra", "Jabra", "Intel")


def task(n: int = 60) -> TrainingSet:
    """Return pairs that match where their maker's number does."""
    draw = np.random.default_rng(0)
    items = []
    for number in range(n):
        brand, code = BRANDS[number % len(BRANDS)], f"MG{draw.integers(1000, 9999)}"
        match = number % 2 == 0
        other = code if match else f"MG{draw.integers(1000, 9999)}"
        text = f"{brand} {code} printer\n{brand.upper()} PRINTER {other} black"
        items.append(Item(id=f"i{number}", text=text, label="match" if match else "other"))
    return TrainingSet(task="toy", labels=LABELS, folds=1, items=tuple(items))


def build(training: TrainingSet, out: Path, *judges: str) -> BuildReport:
    options: dict[str, Any] = {"judges": list(judges)} if judges else {}
    request = BuildRequest(files={}, options=options, threads=1, training=training)
    assert recipe.PairFeatures().refuse(request) is None
    out.mkdir(exist_ok=True)
    return recipe.PairFeatures().build(request, out)


def open_session(folder: Path, labels: tuple[Label, ...] = LABELS) -> Any:
    spec = SessionSpec(artifact=str(folder), session="pair", threads=1, labels=labels, options={})
    assert OnnxRuntime().refuse(spec) is None
    return OnnxRuntime().open(spec)


@pytest.mark.parametrize("judge", ["logistic:1", "trees:20"])
def test_scores_are_scikit_learn_s_probabilities(tmp_path: Path, judge: str) -> None:
    training = task()
    build(training, tmp_path, judge)
    session = open_session(tmp_path / "fold-0")
    texts = [item.text for item in training.items]
    rows = session.encode_batch(texts)
    model = recipe._fit(judge, 0, list(rows), [item.label for item in training.items])

    answers = session.decode_batch(session.infer_batch(rows))

    # scikit-learn's columns are in alphabetical order: match, other.
    wanted = model.predict_proba(rows)[:, ::-1]
    assert np.array([answer.scores for answer in answers]) == pytest.approx(wanted, abs=1e-5)
    assert [answer.label for answer in answers] == list(model.predict(rows))


def test_it_learns_that_the_number_decides(tmp_path: Path) -> None:
    report = build(task(), tmp_path, "logistic:1", "trees:20")
    session = open_session(tmp_path / "fold-0")

    def said(text: str) -> str:
        return str(session.decode(session.infer(session.encode(text))).label)

    assert "5-fold accuracy" in report.notes[0]
    assert report.labelled_items == 60
    assert said("Canon MG7777 printer\nCANON PRINTER MG7777 black") == "match"
    assert said("Canon MG7777 printer\nCANON PRINTER MG1234 black") == "other"


def test_two_builds_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        build(task(), tmp_path / name, "trees:20")

    for name in ("pair.json", "pair.onnx"):
        one, two = (tmp_path / run / "fold-0" / name for run in ("a", "b"))
        assert one.read_bytes() == two.read_bytes()


def test_what_cannot_be_trained_or_opened_is_refused(tmp_path: Path) -> None:
    one_label = TrainingSet(task="toy", labels=LABELS, folds=1, items=tuple(task().items[::2]))

    with pytest.raises(PrepareError, match="train items have the labels match, the task match, o"):
        build(one_label, tmp_path, "trees:20")
    with pytest.raises(PrepareError, match="'forest:3'; write 'logistic:COST' or 'trees:NUMBER'"):
        build(task(), tmp_path / "x", "forest:3")
    build(task(), tmp_path / "y", "logistic:1")
    with pytest.raises(WorkerError, match="made for other labels"):
        open_session(tmp_path / "y" / "fold-0", (LABELS[0], Label(id="z", words="z")))
