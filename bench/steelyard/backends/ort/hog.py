"""The hog session: gradients counted in numpy, a support vector machine in onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.api import Answer, SessionSpec
from steelyard.backends.ort import options
from steelyard.backends.ort.facts import columns, read
from steelyard.backends.ort.hog_features import VERSION, Grid, features
from steelyard.errors import WorkerError

FACTS, GRAPH = "hog.json", "hog.onnx"
INPUT, OUTPUTS = "features", ["scores"]

Rows = NDArray[np.float32]


class Facts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `hog.json` holds. `hog.onnx` takes `features`, (B, F), and gives `scores`, (B, C)."""

    labels: tuple[str, ...]
    version: int
    grid: Grid


class HogSession:
    """An opened artefact."""

    def __init__(self, session: ort.InferenceSession, facts: Facts, spec: SessionSpec) -> None:
        self._session, self._grid = session, facts.grid
        self._columns = columns(facts.labels, spec)
        self._ids = tuple(label.id for label in spec.labels)

    def encode(self, array: Any) -> Rows:
        """Return the features of one picture, (1, F)."""
        return features(array, self._grid)[None]

    def infer(self, inputs: Rows) -> Rows:
        """Return the distances from the planes, (B, labels), in the order it was made with."""
        return np.asarray(self._session.run(OUTPUTS, {INPUT: inputs})[0], np.float32)

    def decode(self, outputs: Rows) -> Answer:
        """Name the label with the largest score."""
        return self.decode_batch(outputs)[0]

    def encode_batch(self, arrays: Sequence[Any]) -> Rows:
        return np.concatenate([self.encode(array) for array in arrays])

    def infer_batch(self, inputs: Rows) -> Rows:
        return self.infer(inputs)

    def decode_batch(self, outputs: Rows) -> list[Answer]:
        return [
            Answer(label=self._ids[int(row.argmax())], scores=tuple(row.tolist()))
            for row in outputs[:, self._columns]
        ]

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return options.runs_on(self._session)

    def close(self) -> None:
        """Drop the native session."""
        del self._session


def open_hog(spec: SessionSpec) -> HogSession:
    """Open an artefact of the recipe `hog-svm`."""
    folder = Path(spec.artifact)
    facts = read(folder / FACTS, Facts)
    if facts.version != VERSION:
        raise WorkerError(
            f"{folder / FACTS}: made with features of version {facts.version}, these are version "
            f"{VERSION}; prepare the artefact again"
        )
    return HogSession(options.open_session(folder / GRAPH, spec), facts, spec)
