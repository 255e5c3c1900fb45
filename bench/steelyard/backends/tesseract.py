"""The Tesseract backend: a picture of a line in, its text out, by the library in this process."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from steelyard.api import Answer, SessionSpec
from steelyard.errors import WorkerError

SUFFIX = ".traineddata"
DPI = 150


class Tesseract:
    """Opens Tesseract's own weight files, which hold numbers and run nothing."""

    def refuse(self, spec: SessionSpec) -> str | None:
        """Say which package this machine lacks or what is wrong with the options, or None."""
        if find_spec("tesserocr") is None:
            return "tesserocr not installed\ntry: pip install 'steelyard[ocr]'"
        if set(spec.options) - {"languages"} or not _languages(spec):
            return "session_options: backend 'tesseract' takes languages, such as [\"eng\"]"
        return None

    def import_runtime(self, spec: SessionSpec) -> None:
        """Load the library; it asks once how many threads it may take."""
        os.environ["OMP_THREAD_LIMIT"] = str(spec.threads)
        import_module("tesserocr")

    def open(self, spec: SessionSpec) -> TesseractSession:
        """Load the weights of the languages; raise WorkerError where they cannot be read."""
        self.import_runtime(spec)
        library: Any = import_module("tesserocr")
        folder, names = Path(spec.artifact), _languages(spec)
        absent = [name for name in names if not (folder / f"{name}{SUFFIX}").is_file()]
        if absent:
            raise WorkerError(f"{folder}: no {absent[0]}{SUFFIX}; prepare the artefact again")
        try:
            program = library.PyTessBaseAPI(
                path=str(folder), lang="+".join(names), psm=library.PSM.SINGLE_LINE
            )
        except RuntimeError as error:
            raise WorkerError(f"{folder}: {error}; prepare the artefact again") from error
        version = str(library.tesseract_version()).splitlines()[0].strip()
        return TesseractSession(program, version)


class TesseractSession:
    """An opened Tesseract, reading one line at a time."""

    def __init__(self, program: Any, version: str) -> None:
        self._program, self._version = program, version

    def encode(self, picture: Any) -> tuple[bytes, int, int]:
        """Return the bytes, width and height of a |u1 picture of height x width."""
        height, width = picture.shape
        return picture.tobytes(), width, height

    def infer(self, inputs: tuple[bytes, int, int]) -> str:
        """Return the text as Tesseract writes it."""
        data, width, height = inputs
        self._program.SetImageBytes(data, width, height, 1, width)
        self._program.SetSourceResolution(DPI)
        # What it learned of the letters of one line must not help it with the next.
        self._program.ClearAdaptiveClassifier()
        return str(self._program.GetUTF8Text())

    def decode(self, outputs: str) -> Answer:
        return Answer(label=" ".join(outputs.split()))

    def describe(self) -> tuple[str, ...]:
        """Name the library's version."""
        return (self._version,)

    def close(self) -> None:
        """Free the library's memory."""
        self._program.End()


def _languages(spec: SessionSpec) -> tuple[str, ...]:
    given = spec.options.get("languages", ())
    return tuple(given) if isinstance(given, list) else ()
