"""The encoder session: tokenise, run the encoder, pool, apply a linear head."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from msgspec import Struct
from tokenizers import Tokenizer

from steelyard.api import Answer, SessionSpec
from steelyard.backends.ort import options
from steelyard.backends.ort.facts import columns, read
from steelyard.errors import WorkerError

FACTS = "encoder.json"
GRAPH = "encoder.onnx"
HEAD = "head.json"
TOKENIZER = "tokenizer.json"

Floats = npt.NDArray[np.float32]
Inputs = dict[str, npt.NDArray[np.int64]]


class Facts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `encoder.json` holds: where texts are cut and how token vectors become one."""

    max_length: int
    pooling: Literal["mean", "cls"]
    normalise: bool
    output: str
    dimensions: int


class Head(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `head.json` holds: the labels of the columns of weights.npy and intercept.npy."""

    labels: tuple[str, ...]


class Embedder:
    """Turns one text at a time into a vector: no padding, so no mask is needed to pool."""

    def __init__(self, session: ort.InferenceSession, tokenizer: Tokenizer, facts: Facts) -> None:
        self._run = session.run
        self._outputs = [facts.output]
        self._names = [wanted.name for wanted in session.get_inputs()]
        self._tokenizer = tokenizer
        self._cls = facts.pooling == "cls"
        self._normalise = facts.normalise

    def encode(self, text: str) -> Inputs:
        """Return the token ids of one text, cut at the encoder's length."""
        encoding = self._tokenizer.encode(text)
        given = {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }
        return {name: np.array([given[name]], np.int64) for name in self._names}

    def embed(self, inputs: Inputs) -> Floats:
        """Return the vector [D] of encoded inputs."""
        tokens = np.asarray(self._run(self._outputs, inputs)[0], np.float32)[0]
        vector: Floats = tokens[0] if self._cls else tokens.mean(axis=0, dtype=np.float32)
        if self._normalise:
            vector /= np.sqrt(vector @ vector)
        return vector


class EncoderSession:
    """An opened encoder with its head."""

    def __init__(
        self,
        embedder: Embedder,
        weights: Floats,
        intercept: Floats,
        labels: tuple[str, ...],
    ) -> None:
        self.encode = embedder.encode
        self._embed = embedder.embed
        self._weights = weights
        self._intercept = intercept
        self._labels = labels

    def infer(self, inputs: Inputs) -> Floats:
        scores: Floats = self._embed(inputs) @ self._weights + self._intercept
        return scores

    def decode(self, outputs: Floats) -> Answer:
        """Return the label of the highest score, and the scores in the task's order."""
        return Answer(label=self._labels[int(outputs.argmax())], scores=tuple(outputs.tolist()))

    def close(self) -> None:
        """Drop the native session."""
        del self.encode, self._embed


def open_encoder(spec: SessionSpec) -> EncoderSession:
    """Open the encoder and the head of `spec`; the head's columns are put in the task's order."""
    folder = Path(spec.artifact)
    embedder = open_embedder(spec)
    order = columns(read(folder / HEAD, Head).labels, spec)
    labels = tuple(label.id for label in spec.labels)
    weights = np.ascontiguousarray(np.load(folder / "weights.npy")[:, order])
    return EncoderSession(embedder, weights, np.load(folder / "intercept.npy")[order], labels)


def open_embedder(spec: SessionSpec) -> Embedder:
    """Open the encoder of `spec` without a head."""
    folder = Path(spec.artifact)
    session = options.open_session(folder / GRAPH, spec)
    facts = read(folder / FACTS, Facts)
    return Embedder(session, _tokenizer(folder / TOKENIZER, facts.max_length), facts)


def _tokenizer(path: Path, max_length: int) -> Tokenizer:
    if not path.is_file():
        raise WorkerError(f"{path}: no such file; prepare the artefact again")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(max_length)
    tokenizer.no_padding()  # the file may ask for a fixed length
    return tokenizer
