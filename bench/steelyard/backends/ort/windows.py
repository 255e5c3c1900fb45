"""The windows session: a linear artefact of two labels asked of a text and of its windows.

A short attack in a long text is diluted in the weights of the whole. So Guardian's publisher asks
of overlapping windows too, and takes the worst of those that clear a higher bar (`window.py` of
securevector-guardian-model 1.4.0; its decoding of base64 and reversed texts is not done).
"""

from __future__ import annotations

import re

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from steelyard.api import Answer, SessionSpec
from steelyard.backends.ort import options
from steelyard.backends.ort.linear import Inputs, LinearSession, open_linear
from steelyard.errors import WorkerError

OWN = ("bar", "positive", "stride", "windows", "words")
_ENDS = re.compile(r"(?<=[.!?])\s+|[\n\r]+|<!--|-->")

Outputs = list[list[NDArray[np.float32]]]


class WindowsSession:
    """An opened linear artefact; the first of its outputs is the whole text's."""

    def __init__(self, linear: LinearSession, spec: SessionSpec) -> None:
        self._linear = linear
        self._labels = tuple(label.id for label in spec.labels)
        positive = options.option(spec, "positive", self._labels[0])
        if positive not in self._labels:
            raise WorkerError(f"session_options.positive: {positive!r} is no label of the task")
        self._positive = self._labels.index(positive)
        self._bar = options.option(spec, "bar", 0.0)
        self._words = options.option(spec, "words", 24)
        self._stride = options.option(spec, "stride", 12)
        self._most = options.option(spec, "windows", 300)

    def encode(self, text: str) -> list[Inputs]:
        """Return the n-grams of a text and of each of its windows."""
        found = windows(text, self._words, self._stride, self._most)
        return [self._linear.encode(one) for one in [text, *found]]

    def infer(self, inputs: list[Inputs]) -> Outputs:
        return self._linear.infer_batch(inputs)

    def decode(self, outputs: Outputs) -> Answer:
        """Return the answer to the worst window at or above the bar, if worse than the whole's."""
        whole, *rest = self._linear.decode_batch(outputs)
        over = [one for one in rest if self._score(one) >= self._bar]
        return max([whole, *over], key=self._score)

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return self._linear.describe()

    def close(self) -> None:
        """Drop the native session."""
        self._linear.close()

    def _score(self, answer: Answer) -> float:
        return answer.scores[self._positive] if answer.scores else 0.0


def windows(text: str, words: int, stride: int, most: int) -> list[str]:
    """Return at most `most` windows of up to `words` words, none across the end of a sentence.

    A text of one short line is its own window: there are none.
    """
    if len(text.split()) <= words and "\n" not in text:
        return []
    found: list[str] = []
    for sentence in _ENDS.split(text):
        tokens = sentence.split()
        last = max(0, -(-(len(tokens) - words) // stride))
        found.extend(
            " ".join(tokens[at * stride : at * stride + words])
            for at in range(last + 1 if tokens else 0)
        )
        if len(found) >= most:
            break
    return found[:most]


def open_windows(spec: SessionSpec) -> WindowsSession:
    """Open the linear artefact of `spec`."""
    if len(spec.labels) != 2:
        raise WorkerError(f"session 'windows' is for two labels, the task has {len(spec.labels)}")
    common = {name: value for name, value in spec.options.items() if name not in OWN}
    return WindowsSession(open_linear(structs.replace(spec, options=common)), spec)
