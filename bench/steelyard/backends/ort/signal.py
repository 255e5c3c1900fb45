"""The signal session: features of a stretch of a signal in numpy, an ensemble of trees as ONNX."""

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
from steelyard.backends.ort.facts import read
from steelyard.backends.ort.signal_features import VERSION, features
from steelyard.errors import WorkerError

FACTS, GRAPH, OUTPUTS = "signal.json", "trees.onnx", ["probabilities"]

Rows = NDArray[np.float32]


class Facts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `signal.json` holds: the labels that had train items, and which features it takes."""

    labels: tuple[str, ...]
    features: int
    version: int


class SignalSession:
    """An opened ensemble."""

    def __init__(self, session: ort.InferenceSession, facts: Facts, spec: SessionSpec) -> None:
        self._session = session
        self._input: str = session.get_inputs()[0].name
        self._features = facts.features
        self._columns = _columns(facts, spec)
        self._ids = tuple(label.id for label in spec.labels)

    def encode(self, array: Any) -> Rows:
        """Return the features of one item, (1, features)."""
        found = features(array)
        if found.size != self._features:
            raise WorkerError(
                f"{found.size} features of a signal of shape {np.shape(array)}; the artefact was "
                f"made for {self._features}: another number of channels"
            )
        return found[None]

    def infer(self, inputs: Rows) -> Rows:
        """Return the share of votes, (B, labels that were learned)."""
        return np.asarray(self._session.run(OUTPUTS, {self._input: inputs})[0], np.float32)

    def decode(self, outputs: Rows) -> Answer:
        """Name the label with most votes."""
        return self.decode_batch(outputs)[0]

    def encode_batch(self, arrays: Sequence[Any]) -> Rows:
        return np.concatenate([self.encode(array) for array in arrays])

    def infer_batch(self, inputs: Rows) -> Rows:
        return self.infer(inputs)

    def decode_batch(self, outputs: Rows) -> list[Answer]:
        """Name the label with most votes of each row; a label never learned has none."""
        rows = np.zeros((len(outputs), len(self._ids)), np.float32)
        rows[:, self._columns] = outputs
        return [
            Answer(label=self._ids[int(row.argmax())], scores=tuple(row.tolist())) for row in rows
        ]

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return options.runs_on(self._session)

    def close(self) -> None:
        """Drop the native session."""
        del self._session


def open_signal(spec: SessionSpec) -> SignalSession:
    """Open an artefact of the recipe `signal-trees`."""
    folder = Path(spec.artifact)
    session = options.open_session(folder / GRAPH, spec)
    facts = read(folder / FACTS, Facts)
    if facts.version != VERSION:
        raise WorkerError(
            f"{folder}: made for version {facts.version} of the features, this is {VERSION}; "
            "prepare the artefact again"
        )
    return SignalSession(session, facts, spec)


def _columns(facts: Facts, spec: SessionSpec) -> list[int]:
    """Return where each label that was learned stands among the task's."""
    ids = [label.id for label in spec.labels]
    odd = sorted(set(facts.labels) - set(ids))
    if odd:
        raise WorkerError(
            f"{spec.artifact}: made for other labels than the task's ({', '.join(odd[:5])}); "
            "prepare the artefact again"
        )
    return [ids.index(label) for label in facts.labels]
