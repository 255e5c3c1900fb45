"""The classifier session: an ONNX model that answers with one of its own labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from steelyard.api import Answer, SessionSpec
from steelyard.backends.ort import options
from steelyard.backends.ort.published import Reading, Tokens, columns_of, reading
from steelyard.errors import WorkerError

MODEL, LOGITS = "model.onnx", "logits"

Rows = NDArray[np.float32]


class ClassifierSession:
    """An opened classifier."""

    def __init__(self, session: ort.InferenceSession, texts: Reading, spec: SessionSpec) -> None:
        self._session = session
        self._texts = texts
        self._columns = columns_of(texts.facts, spec)
        self._ids = tuple(label.id for label in spec.labels)

    def encode(self, text: str) -> Tokens:
        """Return the token ids of one text, cut at the model's length."""
        return self._texts.encode([text])

    def infer(self, inputs: Tokens) -> Rows:
        """Return the scores, (B, labels), in the task's order."""
        logits = np.asarray(self._session.run([LOGITS], inputs)[0], np.float32)
        rows: Rows = logits[:, self._columns]
        return rows

    def decode(self, outputs: Rows) -> Answer:
        """Name the label with the best score."""
        return self.decode_batch(outputs)[0]

    def encode_batch(self, texts: Sequence[str]) -> Tokens:
        return self._texts.encode(texts)

    def infer_batch(self, inputs: Tokens) -> Rows:
        return self.infer(inputs)

    def decode_batch(self, outputs: Rows) -> list[Answer]:
        return [
            Answer(label=self._ids[int(row.argmax())], scores=tuple(row.tolist()))
            for row in outputs
        ]

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return options.runs_on(self._session)

    def close(self) -> None:
        """Drop the native session."""
        del self._session


def open_classifier(spec: SessionSpec) -> ClassifierSession:
    """Open the artefact of the recipe `published` or `encoder-finetune`."""
    folder = Path(spec.artifact)
    session = options.open_session(folder / MODEL, spec)
    outputs = [output.name for output in session.get_outputs()]
    if LOGITS not in outputs:
        raise WorkerError(
            f"{folder / MODEL}: gives {', '.join(outputs)}, expected {LOGITS}: "
            "no classifier as transformers' exporters write it"
        )
    texts = reading(folder, [given.name for given in session.get_inputs()])
    return ClassifierSession(session, texts, spec)
