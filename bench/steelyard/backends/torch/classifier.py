"""Classify with a published encoder on torch: tokenise, run, take the best of its own labels."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from steelyard.api import Answer, SessionSpec
from steelyard.backends.ort.published import Reading, Tokens, columns_of, reading
from steelyard.backends.torch import device, loading

Rows = NDArray[np.float32]


class ClassifierSession:
    """A model of transformers that answers with one of its labels."""

    def __init__(self, model: Any, texts: Reading, place: device.Place, spec: SessionSpec) -> None:
        self._model = model
        self._texts = texts
        self._device = place.device
        self._columns = columns_of(texts.facts, spec)
        self._ids = tuple(label.id for label in spec.labels)
        self.facts = (*place.facts, f"transformers {transformers.__version__}")

    def encode(self, text: str) -> Tokens:
        """Return the token ids of one text, cut at the model's length."""
        return self._texts.encode([text])

    @torch.inference_mode()  # type: ignore[untyped-decorator]  # torch is not checked
    def infer(self, inputs: Tokens) -> Rows:
        """Return the scores, (B, labels), in the task's order."""
        given = {name: torch.from_numpy(ids).to(self._device) for name, ids in inputs.items()}
        logits = self._model(**given).logits.float().cpu().numpy()
        rows: Rows = logits[:, self._columns]
        return rows

    def decode(self, outputs: Rows) -> Answer:
        """Name the label with the best score."""
        return self.decode_batch(outputs)[0]

    def encode_batch(self, texts: Sequence[str]) -> Tokens:
        return self._texts.encode(texts)

    def infer_batch(self, inputs: Tokens) -> Rows:
        rows: Rows = self.infer(inputs)
        return rows

    def decode_batch(self, outputs: Rows) -> list[Answer]:
        return [
            Answer(label=self._ids[int(row.argmax())], scores=tuple(row.tolist()))
            for row in outputs
        ]

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return self.facts

    def close(self) -> None:
        """Drop the model."""
        del self._model


def open_classifier(spec: SessionSpec) -> ClassifierSession:
    """Open the artefact of the recipe `published`."""
    folder = Path(spec.artifact)
    where = device.place(spec)
    model = loading.load(transformers.AutoModelForSequenceClassification, folder, where)
    texts = reading(folder, list(inspect.signature(model.forward).parameters))
    return ClassifierSession(model, texts, where, spec)
