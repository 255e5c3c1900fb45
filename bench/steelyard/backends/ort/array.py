"""The array session: a network that takes pictures or signals as they are, and scores labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from steelyard.api import Answer, SessionSpec
from steelyard.backends.ort import options
from steelyard.backends.ort.array_input import FACTS, GRAPH, Facts, Input, Preparation
from steelyard.backends.ort.facts import columns, read
from steelyard.errors import WorkerError

Logits = NDArray[np.float32]


class ArraySession:
    """An opened network."""

    def __init__(self, session: ort.InferenceSession, facts: Facts, spec: SessionSpec) -> None:
        self._session = session
        self._prepare = Preparation(facts)
        self._input, self._outputs = facts.input, [facts.output]
        self._columns = columns(facts.labels, spec)
        self._ids = tuple(label.id for label in spec.labels)

    def encode(self, array: Any) -> Input:
        """Return the input of one item, (1, channels, ...), scaled and fitted."""
        return self._prepare(array)

    def infer(self, inputs: Input) -> Logits:
        """Return the network's output, (B, labels), in the order it was made with."""
        return np.asarray(self._session.run(self._outputs, {self._input: inputs})[0], np.float32)

    def decode(self, outputs: Logits) -> Answer:
        """Name the most probable label."""
        return self.decode_batch(outputs)[0]

    def encode_batch(self, arrays: Sequence[Any]) -> list[Input]:
        """Return one input for all where their shapes are one, else one for each."""
        made = [self._prepare(array) for array in arrays]
        return [np.concatenate(made)] if len({each.shape for each in made}) == 1 else made

    def infer_batch(self, inputs: list[Input]) -> Logits:
        return np.concatenate([self.infer(each) for each in inputs])

    def decode_batch(self, outputs: Logits) -> list[Answer]:
        """Name the most probable label of each row; scores are probabilities (softmax)."""
        rows = softmax(outputs[:, self._columns])
        return [
            Answer(label=self._ids[int(row.argmax())], scores=tuple(row.tolist())) for row in rows
        ]

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return options.runs_on(self._session)

    def close(self) -> None:
        """Drop the native session."""
        del self._session


def softmax(logits: Logits) -> Logits:
    """Return the probabilities of each row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    made: Logits = powers / powers.sum(axis=1, keepdims=True)
    return made


def open_array(spec: SessionSpec) -> ArraySession:
    """Open an artefact of `array.onnx` and `array.json`."""
    folder = Path(spec.artifact)
    session = options.open_session(folder / GRAPH, spec)
    facts = read(folder / FACTS, Facts)
    _check(folder, [given.name for given in session.get_inputs()], facts.input)
    _check(folder, [given.name for given in session.get_outputs()], facts.output)
    return ArraySession(session, facts, spec)


def _check(folder: Path, names: Sequence[str], wanted: str) -> None:
    if wanted not in names:
        raise WorkerError(
            f"{folder / GRAPH}: has {', '.join(names)}, {FACTS} names {wanted!r}; "
            "prepare the artefact again"
        )
