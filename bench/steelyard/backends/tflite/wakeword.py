"""The wakeword session: three TFLite networks in a row, over a whole clip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from steelyard.api import Answer, SessionSpec
from steelyard.backends.tflite.stream import (
    BANDS,
    EMBEDDING,
    EMBEDDINGS,
    MEL_FRAMES,
    SEEN,
    Floats,
    Network,
    Networks,
    scores,
    silence,
)
from steelyard.errors import WorkerError

SHAPES = {
    "spectrogram": (1, SEEN),
    "embedding": (1, MEL_FRAMES, BANDS, 1),
    "phrase": (1, EMBEDDINGS, EMBEDDING),
}


class WakewordSession:
    """An opened detector: the phrase is in a clip where the score of one of its steps says so."""

    def __init__(self, networks: Networks, spec: SessionSpec) -> None:
        self._networks = networks
        self._silence = silence(networks)
        self._threshold = _threshold(spec)
        self._label, self._other = _labels(spec)
        self._first = spec.labels[0].id == self._label

    def encode(self, samples: Any) -> Floats:
        """Return the samples as the first network takes them: floats of 16-bit size."""
        return np.asarray(samples, np.float32)

    def infer(self, inputs: Floats) -> float:
        """Return the highest score of the clip's steps of 80 ms."""
        return max(scores(self._networks, self._silence, inputs))

    def decode(self, outputs: float) -> Answer:
        """Answer by the threshold; scores are the probability and the rest."""
        label = self._label if outputs >= self._threshold else self._other
        both = (outputs, 1 - outputs) if self._first else (1 - outputs, outputs)
        return Answer(label=label, scores=both)

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        from importlib.metadata import version

        return (f"ai-edge-litert {version('ai-edge-litert')}: cpu",)

    def close(self) -> None:
        """Drop the networks."""
        del self._networks, self._silence


def open_wakeword(spec: SessionSpec) -> WakewordSession:
    """Open an artefact of `spectrogram.tflite`, `embedding.tflite` and `phrase.tflite`."""
    folder = Path(spec.artifact)
    opened = {
        name: _network(folder / f"{name}.tflite", shape, spec.threads)
        for name, shape in SHAPES.items()
    }
    return WakewordSession(Networks(**opened), spec)


def _network(path: Path, shape: tuple[int, ...], threads: int) -> Network:
    """Load one network and fix its input's shape; raise WorkerError where it has another."""
    if not path.is_file():
        raise WorkerError(f"{path}: no such file; prepare the artefact again")
    try:
        interpreter = Interpreter(str(path), num_threads=threads)
        given = interpreter.get_input_details()[0]
        interpreter.resize_tensor_input(given["index"], shape)
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise WorkerError(f"{path}: {error}") from error
    entry, result = given["index"], interpreter.get_output_details()[0]["index"]

    def run(inputs: Floats) -> Floats:
        interpreter.set_tensor(entry, inputs)
        interpreter.invoke()
        made: Floats = interpreter.get_tensor(result)
        return made

    return run


def _threshold(spec: SessionSpec) -> float:
    threshold = spec.options.get("threshold", 0.5)
    if not isinstance(threshold, float) or not 0 < threshold < 1:
        raise WorkerError(f"session_options.threshold: {threshold!r}; expected 0.0 to 1.0")
    return threshold


def _labels(spec: SessionSpec) -> tuple[str, str]:
    """Return the phrase's label and the other one."""
    wanted = spec.options.get("label")
    others = [label.id for label in spec.labels if label.id != wanted]
    if not isinstance(wanted, str) or len(spec.labels) != 2 or len(others) != 1:
        known = ", ".join(label.id for label in spec.labels)
        raise WorkerError(f"session_options.label: {wanted!r} is none of the two labels ({known})")
    return wanted, others[0]
