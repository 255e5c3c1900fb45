"""The linear session: n-grams and tf-idf weights in Python, an exact sparse layer in onnxruntime.

scikit-learn's analysers are repeated here without scikit-learn (a board has none). Converters
that put the tokeniser into the graph split words by other rules than scikit-learn and do not know
`char_wb`; so the graph holds the linear layer only and the scores equal scikit-learn's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from msgspec import Struct

from steelyard.api import Answer, SessionSpec
from steelyard.backends.ort import options
from steelyard.backends.ort.facts import columns, read

FACTS = "linear.json"
GRAPH = "linear.onnx"
OUTPUTS = ["scores"]
WORD = re.compile(r"(?u)\b\w\w+\b")  # scikit-learn's default token_pattern

Inputs = dict[str, npt.NDArray[np.generic]]


class Family(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One family of n-grams with its own vocabulary and its own unit norm."""

    analyser: Literal["word", "char_wb"]
    shortest: int
    longest: int
    sublinear: bool
    vocabulary: str
    idf: str


class Facts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `linear.json` holds: the n-gram families in the order of the graph's rows."""

    labels: tuple[str, ...]
    families: tuple[Family, ...]


class Weigher:
    """Turns a text into the ids and tf-idf weights of one family, equal to scikit-learn's."""

    def __init__(self, family: Family, vocabulary: list[str], idf: npt.NDArray[np.float32]) -> None:
        self._index = {gram: number for number, gram in enumerate(vocabulary)}
        self._idf = idf
        self._sublinear = family.sublinear
        self._lengths = range(family.shortest, family.longest + 1)
        self._counts = self._words if family.analyser == "word" else self._chars

    def weigh(self, lowered: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Return the ids and the weights (unit norm) of the known n-grams of a lower-case text."""
        counts = self._counts(lowered)
        ids = np.fromiter(counts.keys(), np.int64, len(counts))
        frequencies = np.fromiter(counts.values(), np.float32, len(counts))
        if self._sublinear:
            frequencies = np.log(frequencies) + np.float32(1)
        weights = frequencies * self._idf[ids]
        norm = np.float32(np.sqrt(weights @ weights))
        return ids, weights / norm if norm > 0 else weights

    def _words(self, lowered: str) -> Counter[int]:
        tokens = WORD.findall(lowered)
        grams: list[str] = []
        for length in self._lengths:
            if length == 1:
                grams.extend(tokens)
                continue
            shifted = (tokens[offset:] for offset in range(length))
            grams.extend(map(" ".join, zip(*shifted, strict=False)))
        known = Counter(map(self._index.get, grams))
        known.pop(None, None)
        return known  # type: ignore[return-value]  # None is gone

    def _chars(self, lowered: str) -> Counter[int]:
        numbers: list[int | None] = []
        for word, times in Counter(lowered.split()).items():
            numbers.extend(list(map(self._index.get, word_grams(word, self._lengths))) * times)
        known = Counter(numbers)
        known.pop(None, None)
        return known  # type: ignore[return-value]  # None is gone


def word_grams(word: str, lengths: range) -> list[str]:
    """Return the character n-grams of one padded word, as scikit-learn's `char_wb` has them."""
    padded = f" {word} "
    size = len(padded)
    if size < lengths[0]:
        return [padded]  # a short word is counted once, whole
    return [
        padded[start : start + length]
        for length in lengths
        if length <= size
        for start in range(size - length + 1)
    ]


class LinearSession:
    """An opened linear artefact."""

    def __init__(
        self,
        session: ort.InferenceSession,
        weighers: list[Weigher],
        offsets: list[int],
        columns: list[int],
        labels: tuple[str, ...],
    ) -> None:
        self.native = session
        self._run = session.run
        self._families = list(zip(weighers, offsets, strict=True))
        self._columns = columns
        self._labels = labels

    def encode(self, text: str) -> Inputs:
        """Return the rows to gather and their weights; row 0 with weight 0 where none is known."""
        lowered = text.lower()
        ids: list[npt.NDArray[np.int64]] = []
        weights: list[npt.NDArray[np.float32]] = []
        for weigher, offset in self._families:
            numbers, values = weigher.weigh(lowered)
            ids.append(numbers + offset)
            weights.append(values)
        joined = np.concatenate(ids)
        if joined.size == 0:
            return {"ids": np.zeros(1, np.int64), "weights": np.zeros(1, np.float32)}
        return {"ids": joined, "weights": np.concatenate(weights)}

    def infer(self, inputs: Inputs) -> list[npt.NDArray[np.float32]]:
        return self._run(OUTPUTS, inputs)  # type: ignore[no-any-return]

    def decode(self, outputs: list[npt.NDArray[np.float32]]) -> Answer:
        """Return the label of the highest score, and the scores in the task's order."""
        scores = outputs[0][self._columns]
        return Answer(label=self._labels[int(scores.argmax())], scores=tuple(scores.tolist()))

    def encode_batch(self, texts: Sequence[str]) -> list[Inputs]:
        return [self.encode(text) for text in texts]

    def infer_batch(self, inputs: list[Inputs]) -> list[list[npt.NDArray[np.float32]]]:
        """Run the graph, which takes one text's n-grams, for one text after the other."""
        return [self.infer(each) for each in inputs]

    def decode_batch(self, outputs: list[list[npt.NDArray[np.float32]]]) -> list[Answer]:
        return [self.decode(each) for each in outputs]

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return options.runs_on(self.native)

    def close(self) -> None:
        """Drop the native session."""
        del self.native, self._run


def open_linear(spec: SessionSpec) -> LinearSession:
    """Open the linear artefact of `spec`."""
    folder = Path(spec.artifact)
    session = options.open_session(folder / GRAPH, spec)
    facts = read(folder / FACTS, Facts)
    weighers, offsets, rows = [], [], 0
    for family in facts.families:
        vocabulary = msgspec.json.decode((folder / family.vocabulary).read_bytes(), type=list[str])
        weighers.append(Weigher(family, vocabulary, np.load(folder / family.idf)))
        offsets.append(rows)
        rows += len(vocabulary)
    labels = tuple(label.id for label in spec.labels)
    return LinearSession(session, weighers, offsets, columns(facts.labels, spec), labels)
