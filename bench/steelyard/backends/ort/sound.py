"""The sound session: features of a clip in numpy, then a small graph that scores labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from steelyard.api import Answer, SessionSpec
from steelyard.backends.ort import options
from steelyard.backends.ort.facts import columns, read
from steelyard.backends.ort.sound_features import FACTS, GRAPH, Facts, Vector, maker

Scores = NDArray[np.float32]


class SoundSession:
    """An opened sound model. Scores are log-odds or logits, one a label; no probabilities."""

    def __init__(self, session: ort.InferenceSession, facts: Facts, spec: SessionSpec) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self._features = maker(facts.features, facts.rate, facts.segments)
        self._columns = columns(facts.labels, spec)
        self._ids = tuple(label.id for label in spec.labels)

    def encode(self, samples: Any) -> Vector:
        """Return the features of one clip, (1, ...)."""
        return self._features(samples)[None]

    def infer(self, inputs: Vector) -> Scores:
        """Return scores, (B, labels), in the order the graph was made with."""
        return np.asarray(self._session.run(None, {self._input: inputs})[0], np.float32)

    def decode(self, outputs: Scores) -> Answer:
        """Name the label with the highest score."""
        return self.decode_batch(outputs)[0]

    def encode_batch(self, clips: Sequence[Any]) -> list[Vector]:
        return [self.encode(clip) for clip in clips]

    def infer_batch(self, inputs: list[Vector]) -> Scores:
        """Run all in one call where the clips are equally long."""
        if len({each.shape for each in inputs}) == 1:
            return self.infer(np.concatenate(inputs))
        return np.concatenate([self.infer(each) for each in inputs])

    def decode_batch(self, outputs: Scores) -> list[Answer]:
        """Name the label with the highest score of each row."""
        rows = outputs[:, self._columns]
        return [
            Answer(label=self._ids[int(row.argmax())], scores=tuple(row.tolist())) for row in rows
        ]

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return options.runs_on(self._session)

    def close(self) -> None:
        """Drop the native session."""
        del self._session


def open_sound(spec: SessionSpec) -> SoundSession:
    """Open an artefact of `sound.onnx` and `sound.json`."""
    folder = Path(spec.artifact)
    session = options.open_session(folder / GRAPH, spec)
    return SoundSession(session, read(folder / FACTS, Facts), spec)
