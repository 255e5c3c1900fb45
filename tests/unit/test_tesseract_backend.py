"""What the Tesseract backend refuses, and how it asks its library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from steelyard.api import SessionSpec
from steelyard.backends.tesseract import Tesseract, TesseractSession
from steelyard.errors import WorkerError


class Program:
    """Stands in for tesserocr's interface and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def SetImageBytes(self, *image: object) -> None:  # noqa: N802
        self.asked.append(image)

    def SetSourceResolution(self, dots: int) -> None:  # noqa: N802
        self.asked.append(dots)

    def ClearAdaptiveClassifier(self) -> None:  # noqa: N802
        self.asked.append("cleared")

    def GetUTF8Text(self) -> str:  # noqa: N802
        return " Total  12,00\n\n"

    def End(self) -> None:  # noqa: N802
        self.asked.append("ended")


def spec(folder: Path, **options: list[str] | str) -> SessionSpec:
    return SessionSpec(
        artifact=str(folder), session="line", threads=1, labels=(), options=dict(options)
    )


def test_a_picture_is_handed_over_row_by_row_and_its_text_comes_back_in_one_line() -> None:
    program = Program()
    session = TesseractSession(program, "tesseract 5")
    picture = np.arange(6, dtype=np.uint8).reshape(2, 3)

    answer = session.decode(session.infer(session.encode(picture)))
    session.close()

    assert answer.label == "Total 12,00"
    assert program.asked == [(bytes(range(6)), 3, 2, 1, 3), 150, "cleared", "ended"]
    assert session.describe() == ("tesseract 5",)


def test_options_and_missing_weights_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tesserocr")
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")

    assert "takes languages" in str(Tesseract().refuse(spec(tmp_path)))
    assert "takes languages" in str(Tesseract().refuse(spec(tmp_path, languages=["eng"], psm="7")))
    assert Tesseract().refuse(spec(tmp_path, languages=["eng"])) is None
    with pytest.raises(WorkerError, match=r"no eng\.traineddata; prepare the artefact again"):
        Tesseract().open(spec(tmp_path, languages=["eng"]))


def test_damaged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tesserocr")
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")
    (tmp_path / "eng.traineddata").write_bytes(b"not weights")

    with pytest.raises(WorkerError, match="prepare the artefact again"):
        Tesseract().open(spec(tmp_path, languages=["eng"]))
