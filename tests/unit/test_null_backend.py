"""The null backend and the majority recipe that feeds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from steelyard.api import BuildRequest, Item, Label, SessionSpec, TrainingSet
from steelyard.backends.null import NullBackend
from steelyard.errors import PrepareError, WorkerError
from steelyard.recipes.copy import Copy
from steelyard.recipes.majority import Majority

LABELS = (Label(id="ham", words="wanted"), Label(id="spam", words="unwanted"))


def spec(folder: Path) -> SessionSpec:
    return SessionSpec(
        artifact=str(folder), session="constant", threads=1, labels=LABELS, options={}
    )


def task(labels: list[str], folds: int = 1) -> TrainingSet:
    return TrainingSet(
        task="spam",
        labels=LABELS,
        folds=folds,
        items=tuple(
            Item(id=str(n), text="", label=label, fold=None if folds == 1 else n % folds)
            for n, label in enumerate(labels)
        ),
    )


def build(training: TrainingSet, out: Path) -> int:
    request = BuildRequest(files={}, options={}, threads=1, training=training)
    return Majority().build(request, out).labelled_items


def test_the_most_frequent_train_label_is_every_answer(tmp_path: Path) -> None:
    build(task(["spam", "ham", "ham"]), tmp_path)
    session = NullBackend().open(spec(tmp_path / "fold-0"))

    answer = session.decode(session.infer(session.encode("win a prize")))

    assert answer.label == "ham"
    assert answer.scores == pytest.approx((2 / 3, 1 / 3))


def test_each_fold_learns_from_the_other_folds_only(tmp_path: Path) -> None:
    # fold 0 holds the three hams, so its train items are spam
    labelled = build(task(["ham", "spam", "ham", "spam", "ham", "spam"], folds=2), tmp_path)

    assert NullBackend().open(spec(tmp_path / "fold-0")).infer("").label == "spam"
    assert NullBackend().open(spec(tmp_path / "fold-1")).infer("").label == "ham"
    assert labelled == 3


def test_a_tie_goes_to_the_first_label_whatever_the_order(tmp_path: Path) -> None:
    build(task(["spam", "ham"]), tmp_path)

    assert NullBackend().open(spec(tmp_path / "fold-0")).infer("").label == "ham"


def test_a_task_without_train_items_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match="no train items"):
        build(task([]), tmp_path)


def test_a_missing_answer_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match=r"answer\.json.*prepare"):
        NullBackend().open(spec(tmp_path))


def test_an_answer_that_is_no_label_of_the_task_is_refused(tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_text('{"label": "eggs"}')

    with pytest.raises(WorkerError, match="'eggs' is no label"):
        NullBackend().open(spec(tmp_path))


def test_a_damaged_answer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_text("{")

    with pytest.raises(WorkerError, match="prepare the artefact again"):
        NullBackend().open(spec(tmp_path))


def test_copy_gives_files_the_names_that_the_card_says(tmp_path: Path) -> None:
    source = tmp_path / "downloaded"
    source.write_bytes(b"weights")
    out = tmp_path / "out"
    out.mkdir()
    request = BuildRequest(
        files={"lid": source}, options={"names": {"lid": "model.ftz"}, "parameters": 7}, threads=1
    )

    report = Copy().build(request, out)

    assert (out / "model.ftz").read_bytes() == b"weights"
    assert report.parameters == 7


def test_copy_refuses_a_file_that_the_card_lacks() -> None:
    request = BuildRequest(files={}, options={"names": {"lid": "x"}}, threads=1)

    assert Copy().refuse(request) == "options.names: the card has no file lid; it has: none"
