"""The text-line session: a network that reads one line of a picture, letter by letter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from steelyard.api import Answer, SessionSpec
from steelyard.backends.ort import options
from steelyard.backends.ort.ctc import best_path
from steelyard.errors import WorkerError

GRAPH = "model.onnx"
OWN = ("height", "least_width")
# Where PP-OCR's networks keep their letters, one a line; a blank comes last and is not written.
LETTERS = "character"

Picture = NDArray[np.float32]


class TextLineSession:
    """An opened network. Grey values -1 to 1 in three equal channels, of a fixed height."""

    def __init__(
        self, session: ort.InferenceSession, letters: tuple[str, ...], height: int, width: int
    ) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self._letters, self._height, self._width = letters, height, width

    def encode(self, picture: Any) -> Picture:
        """Return a |u1 picture, height x width, as (1, 3, height, width), filled up with 0."""
        rows, columns = picture.shape
        wide = max(1, -(-columns * self._height // rows))
        scaled = resized(picture, self._height, wide) / np.float32(127.5) - 1
        made = np.zeros((1, 3, self._height, max(wide, self._width)), np.float32)
        made[0, :, :, :wide] = scaled
        return made

    def infer(self, inputs: Picture) -> Picture:
        """Return probabilities, (steps, classes)."""
        rows = np.asarray(self._session.run(None, {self._input: inputs})[0], np.float32)
        return np.asarray(rows[0], np.float32)

    def decode(self, outputs: Picture) -> Answer:
        return Answer(label=best_path(outputs, self._letters).strip())

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return options.runs_on(self._session)

    def close(self) -> None:
        """Drop the native session."""
        del self._session


def open_text_line(spec: SessionSpec) -> TextLineSession:
    """Open `model.onnx`, whose metadata names its letters; raise WorkerError where they are not."""
    path = Path(spec.artifact) / GRAPH
    session = options.open_session(path, spec, OWN)
    named = session.get_modelmeta().custom_metadata_map.get(LETTERS, "")
    letters = (*named.splitlines(), " ")
    classes = session.get_outputs()[0].shape[-1]
    if classes != len(letters) + 1:
        raise WorkerError(
            f"{path}: {len(letters)} letters for {classes} classes; expected one less"
        )
    height = options.option(spec, "height", 48)
    return TextLineSession(session, letters, height, options.option(spec, "least_width", 320))


def resized(picture: Any, height: int, width: int) -> Picture:
    """Return a picture scaled bilinearly, pixels taken at their middle."""
    down, right = _places(picture.shape[0], height), _places(picture.shape[1], width)
    grey = np.asarray(picture, np.float32)
    (top, bottom, low), (left, far, part) = down, right
    rows = grey[top] * (1 - low)[:, None] + grey[bottom] * low[:, None]
    return np.asarray(rows[:, left] * (1 - part) + rows[:, far] * part, np.float32)


def _places(size: int, wanted: int) -> tuple[Any, Any, Any]:
    """Return, for each wanted pixel, its two neighbours and the share of the second."""
    at = np.clip((np.arange(wanted) + 0.5) * size / wanted - 0.5, 0, size - 1)
    near = np.floor(at).astype(np.intp)
    return near, np.minimum(near + 1, size - 1), (at - near).astype(np.float32)
