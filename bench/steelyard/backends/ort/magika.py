"""The magika session: the first and last bytes of a text -> the content type it most looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.api import Answer, SessionSpec
from steelyard.backends.ort import options
from steelyard.backends.ort.facts import read
from steelyard.errors import WorkerError

CONFIG, MODEL = "config.min.json", "model.onnx"
INPUT, OUTPUT = "bytes", "target_label"

Tokens = NDArray[np.int32]
Rows = NDArray[np.float32]


class Config(Struct, frozen=True, kw_only=True):
    """What the publisher's configuration says of features and outputs; the rest is not used.

    Thresholds are not: a task's question has no answer "unknown".
    """

    beg_size: int
    mid_size: int
    end_size: int
    block_size: int
    padding_token: int
    use_inputs_at_offsets: bool
    target_labels_space: tuple[str, ...]


class MagikaSession:
    """An opened Magika model whose answers are restricted to the task's labels.

    The probability of a label is the sum of those of its content types: the one of the same name
    and those that the session option `label_map` sends to it.
    """

    def __init__(self, session: ort.InferenceSession, config: Config, spec: SessionSpec) -> None:
        self.native = session
        self._config = config
        self._labels = tuple(label.id for label in spec.labels)
        label_map = options.option(spec, "label_map", dict[str, str]())
        self._sums = _sums(config.target_labels_space, self._labels, label_map)

    def encode(self, text: str) -> Tokens:
        """Return the tokens of one text, (1, beg_size + end_size)."""
        return tokens(text.encode(), self._config)[None]

    def infer(self, inputs: Tokens) -> Rows:
        return np.asarray(self.native.run([OUTPUT], {INPUT: inputs})[0], np.float32)

    def decode(self, outputs: Rows) -> Answer:
        """Return the most probable label of the task and the labels' probabilities."""
        return self.decode_batch(outputs)[0]

    def encode_batch(self, texts: Sequence[str]) -> Tokens:
        return np.concatenate([self.encode(text) for text in texts])

    def infer_batch(self, inputs: Tokens) -> Rows:
        return self.infer(inputs)

    def decode_batch(self, outputs: Rows) -> list[Answer]:
        return [
            Answer(label=self._labels[int(row.argmax())], scores=tuple(row.tolist()))
            for row in outputs @ self._sums
        ]

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return options.runs_on(self.native)

    def close(self) -> None:
        """Drop the native session."""
        del self.native


def tokens(data: bytes, config: Config) -> Tokens:
    """Return the bytes of both ends, blanks stripped, filled up with the padding token.

    Magika's feature extraction of version 2 (`magika.py` of magika 1.0.3): the beginning is filled
    up behind, the end before.
    """
    begin = data[: config.block_size].lstrip()[: config.beg_size]
    end = data[-config.block_size :].rstrip()[-config.end_size :]
    made = np.full(config.beg_size + config.end_size, config.padding_token, np.int32)
    made[: len(begin)] = np.frombuffer(begin, np.uint8)
    made[len(made) - len(end) :] = np.frombuffer(end, np.uint8)
    return made


def _sums(types: Sequence[str], labels: Sequence[str], label_map: Mapping[str, str]) -> Rows:
    """Return the matrix that adds the probabilities of content types up to those of labels."""
    unknown = sorted(set(label_map) - set(types))
    if unknown:
        raise WorkerError(f"session_options.label_map: {', '.join(unknown)} is no content type")
    sums = np.zeros((len(types), len(labels)), np.float32)
    for row, name in enumerate(types):
        label = label_map.get(name, name)
        if label in labels:  # a card serves tasks with other label sets too
            sums[row, labels.index(label)] = 1
    return sums


def open_magika(spec: SessionSpec) -> MagikaSession:
    """Open the files of the `magika` wheel; raise WorkerError for a version of other features."""
    folder = Path(spec.artifact)
    config = read(folder / CONFIG, Config)
    if config.mid_size or config.use_inputs_at_offsets:
        raise WorkerError(f"{folder / CONFIG}: features that this session does not compute")
    session = options.open_session(folder / MODEL, spec, own=("label_map",))
    return MagikaSession(session, config, spec)
