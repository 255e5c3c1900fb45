"""The pair session: how alike the two lines of a text are, judged by a small trained model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.api import Answer, SessionSpec
from steelyard.backends.ort import options
from steelyard.backends.ort.facts import columns, read
from steelyard.backends.ort.pair_features import FEATURES, Rarity, Vector, features
from steelyard.errors import WorkerError

FACTS, GRAPH = "pair.json", "pair.onnx"

Rows = NDArray[np.float32]


class Facts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `pair.json` holds: labels in the graph's order, the features it was trained on."""

    labels: tuple[str, ...]
    features: tuple[str, ...]
    rarity: Rarity


class PairSession:
    """An opened pair artefact: `features` float32[n, FEATURES] -> `scores` float32[n, labels]."""

    def __init__(self, session: ort.InferenceSession, facts: Facts, spec: SessionSpec) -> None:
        self.native = session
        self._rarity = facts.rarity
        self._columns = columns(facts.labels, spec)
        self._labels = tuple(label.id for label in spec.labels)

    def encode(self, text: str) -> Rows:
        """Return the features of one pair as a row."""
        return self.encode_batch([text])

    def infer(self, inputs: Rows) -> Rows:
        return np.asarray(self.native.run(["scores"], {"features": inputs})[0], np.float32)

    def decode(self, outputs: Rows) -> Answer:
        """Return the label of the highest score, and the scores in the task's order."""
        return self.decode_batch(outputs)[0]

    def encode_batch(self, texts: Sequence[str]) -> Rows:
        rows: list[Vector] = [features(text, self._rarity) for text in texts]
        return np.stack(rows)

    def infer_batch(self, inputs: Rows) -> Rows:
        return self.infer(inputs)

    def decode_batch(self, outputs: Rows) -> list[Answer]:
        ordered = outputs[:, self._columns]
        return [
            Answer(label=self._labels[int(row.argmax())], scores=tuple(row.tolist()))
            for row in ordered
        ]

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return options.runs_on(self.native)

    def close(self) -> None:
        """Drop the native session."""
        del self.native


def open_pair(spec: SessionSpec) -> PairSession:
    """Open the pair artefact of `spec`."""
    folder = Path(spec.artifact)
    facts = read(folder / FACTS, Facts)
    if facts.features != FEATURES:
        raise WorkerError(
            f"{folder / FACTS}: made for other features than this steelyard computes; "
            "prepare the artefact again"
        )
    return PairSession(options.open_session(folder / GRAPH, spec), facts, spec)
