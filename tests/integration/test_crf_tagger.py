"""The CRF tagger: trained on each fold, the same bytes each time, and opened again."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from steelyard.api import BuildReport, BuildRequest, Item, Label, SessionSpec, TrainingSet
from steelyard.backends.crfsuite import CrfSuite
from steelyard.card import Option
from steelyard.errors import PrepareError, WorkerError
from steelyard.notation import format_spans
from steelyard.recipes.crf_tagger import CrfTagger

pytest.importorskip("pycrfsuite")

LABELS = tuple(Label(id=name, words=name) for name in ("NAME", "TOWN"))
NAMES = ("Ana Lopez", "Bo Chen", "Eva Weiss", "Jan Novak", "Ida Berg", "Tom Hill")
TOWNS = (
    "Lima",
    "Oslo",
    "Graz",
    "Brno",
    "Turin",
    "Malmo",
    "Porto",
    "Cork",
    "Ghent",
    "Lyon",
    "Bari",
    "Bath",
)


def texts() -> tuple[Item, ...]:
    """Return sentences of one template: 72 of them in two folds."""
    items: list[Item] = []
    for name in NAMES:
        for town in TOWNS:
            text = f"My name is {name}, I live in {town}."
            at = len(f"My name is {name}, I live in ")
            spans = [(11, 11 + len(name), "NAME"), (at, at + len(town), "TOWN")]
            number = len(items)
            items.append(
                Item(id=str(number), text=text, label=format_spans(spans), fold=number % 2)
            )
    return tuple(items)


def build(out: Path, items: tuple[Item, ...], **options: Option) -> BuildReport:
    training = TrainingSet(task="t", labels=LABELS, folds=2, items=items)
    request = BuildRequest(files={}, options=options, threads=1, training=training)
    assert CrfTagger().refuse(request) is None
    out.mkdir()
    return CrfTagger().build(request, out)


def spec(folder: Path, **options: Option) -> SessionSpec:
    return SessionSpec(
        artifact=str(folder), session="tagger", threads=1, labels=LABELS, options=options
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BuildReport]:
    out = tmp_path_factory.mktemp("crf") / "made"
    return out, build(out, texts())


def test_it_finds_in_a_text_what_it_never_saw(made: tuple[Path, BuildReport]) -> None:
    session = CrfSuite().open(spec(made[0] / "fold-0"))
    text = "My name is Uma Roth, I live in Bern."

    answer = session.decode(session.infer(session.encode(text)))

    assert answer.label == '[[11,19,"NAME"],[31,35,"TOWN"]]'


def test_it_reports_what_it_learned_from_and_what_it_chose(
    made: tuple[Path, BuildReport],
) -> None:
    report = made[1]

    assert report.labelled_items == 36
    assert len(report.notes) == 2
    assert "3-fold F1 1.0000, words, 36 train items" in report.notes[0]


def test_its_size_is_the_number_of_weights_in_the_model(made: tuple[Path, BuildReport]) -> None:
    suite: Any = importlib.import_module("pycrfsuite")
    sizes = []
    for fold in ("fold-0", "fold-1"):
        tagger = suite.Tagger()
        tagger.open(str(made[0] / fold / "model.crfsuite"))
        info = tagger.info()
        sizes.append(len(info.transitions) + len(info.state_features))
        tagger.close()

    assert made[1].parameters == max(sizes)


def test_the_same_items_give_the_same_bytes(made: tuple[Path, BuildReport], tmp_path: Path) -> None:
    build(tmp_path / "again", texts())

    for name in ("fold-0/model.crfsuite", "fold-1/model.crfsuite", "fold-0/tagger.json"):
        assert (tmp_path / "again" / name).read_bytes() == (made[0] / name).read_bytes()


def test_a_single_pair_of_penalties_is_not_cross_validated(tmp_path: Path) -> None:
    report = build(tmp_path / "one", texts(), penalties=["0.5:0.1"])

    assert report.notes[0].startswith("fold 0: L1 0.5, L2 0.1, not chosen by cross-validation")


def test_penalties_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match=r"options.penalties: '1', expected L1:L2"):
        build(tmp_path / "odd", texts(), penalties=["1"])


def test_items_without_any_span_are_refused(tmp_path: Path) -> None:
    plain = tuple(
        Item(id=str(number), text="Hello", label="[]", fold=number % 2) for number in range(4)
    )

    with pytest.raises(PrepareError, match="fold 0: no span to train on"):
        build(tmp_path / "plain", plain)


def test_what_nothing_reads_is_refused(made: tuple[Path, BuildReport]) -> None:
    request = BuildRequest(files={}, options={"odd": 1}, threads=1)

    assert CrfTagger().refuse(request) == "recipe 'crf-tagger' trains: it needs a task"
    assert "['odd']" in str(CrfSuite().refuse(spec(made[0], odd=1)))


def test_a_model_that_is_damaged_or_of_another_task_is_refused(
    made: tuple[Path, BuildReport], tmp_path: Path
) -> None:
    (tmp_path / "tagger.json").write_bytes((made[0] / "fold-0/tagger.json").read_bytes())
    (tmp_path / "model.crfsuite").write_bytes(b"lCRF, but no more")
    other = SessionSpec(
        artifact=str(tmp_path), session="tagger", threads=1, labels=LABELS[:1], options={}
    )

    with pytest.raises(WorkerError, match=r"model\.crfsuite: .*prepare the artefact again"):
        CrfSuite().open(spec(tmp_path))
    with pytest.raises(WorkerError, match="TOWN: no labels of the task"):
        CrfSuite().open(other)
    with pytest.raises(WorkerError, match=r"tagger\.json: .*prepare the artefact again"):
        CrfSuite().open(spec(tmp_path / "nowhere"))
