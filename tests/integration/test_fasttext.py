"""The fastText backend, on a stand-in for the library's model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from steelyard.api import Label, SessionSpec
from steelyard.backends.fasttext import FastText, FastTextSession
from steelyard.errors import WorkerError

LABELS = tuple(Label(id=i, words=i) for i in ("de", "no"))


class Model:
    """Predicts what it was told to."""

    def __init__(self, *predictions: tuple[str, float]) -> None:
        self._predictions = predictions

    def predict(self, text: str, k: int, threshold: float) -> Any:
        if "\n" in text:
            raise ValueError("one line at a time")
        return tuple(zip(*self._predictions, strict=True))


def spec(artifact: str = "none", session: str = "labels", **options: Any) -> SessionSpec:
    return SessionSpec(
        artifact=artifact, session=session, threads=1, labels=LABELS, options=options
    )


def answer(model: Model, **options: Any) -> Any:
    session = FastTextSession(model, spec(**options))
    return session.decode(session.infer(session.encode("to\nlinjer")))


def test_the_answer_is_the_most_probable_label_of_the_task() -> None:
    said = answer(Model(("__label__da", 0.6), ("__label__no", 0.3), ("__label__de", 0.1)))

    assert said.label == "no"
    assert said.scores == (0.1, 0.3)


def test_a_mapped_code_stands_for_the_tasks_label() -> None:
    model = Model(("__label__nn", 0.6), ("__label__de", 0.3), ("__label__no", 0.1))

    said = answer(model, label_map={"nn": "no", "yue": "zh"})

    assert said.label == "no"
    assert said.scores == (0.3, 0.6)


def test_an_unknown_option_is_refused() -> None:
    assert "unknown k; known: label_map" in str(FastText().refuse(spec(k=1)))


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("fasttext")

    with pytest.raises(WorkerError, match=r"expected one file ending in \.ftz or \.bin, found 0"):
        FastText().open(spec(str(tmp_path)))


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("fasttext")
    (tmp_path / "lid.ftz").write_bytes(b"not a model")

    with pytest.raises(WorkerError, match=r"lid\.ftz: no fastText model"):
        FastText().open(spec(str(tmp_path)))
