"""The encoder session: tokenise, run the encoder, pool, apply a linear head."""

from __future__ import annotations

from collections.abc import Sequence
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

GIVEN = ("input_ids", "attention_mask", "token_type_ids")

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
        self.runs_on = options.runs_on(session)
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

    def encode_batch(self, texts: Sequence[str]) -> Inputs:
        """Return the token ids of several texts, filled up to the longest and masked there.

        One after the other: the tokeniser's own batches start threads beside the measured ones.
        """
        encodings = [self._tokenizer.encode(text) for text in texts]
        shape = len(encodings), max(len(encoding.ids) for encoding in encodings)
        # Where the mask is 0, any token of the vocabulary does; 0 is always one.
        filled = {name: np.zeros(shape, np.int64) for name in GIVEN}
        for row, encoding in enumerate(encodings):
            length = len(encoding.ids)
            filled["input_ids"][row, :length] = encoding.ids
            filled["attention_mask"][row, :length] = encoding.attention_mask
            filled["token_type_ids"][row, :length] = encoding.type_ids
        return {name: filled[name] for name in (*self._names, "attention_mask")}

    def embed_batch(self, inputs: Inputs) -> Floats:
        """Return the vectors [B, D] of a batch; what fills up short texts is not pooled."""
        fed = {name: inputs[name] for name in self._names}
        tokens = np.asarray(self._run(self._outputs, fed)[0], np.float32)
        vectors: Floats = tokens[:, 0] if self._cls else _means(tokens, inputs["attention_mask"])
        if self._normalise:
            vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

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
        self.encode_batch = embedder.encode_batch
        self.runs_on = embedder.runs_on
        self._embed = embedder.embed
        self._embed_batch = embedder.embed_batch
        self._weights = weights
        self._intercept = intercept
        self._labels = labels

    def infer(self, inputs: Inputs) -> Floats:
        scores: Floats = self._embed(inputs) @ self._weights + self._intercept
        return scores

    def decode(self, outputs: Floats) -> Answer:
        """Return the label of the highest score, and the scores in the task's order."""
        return Answer(label=self._labels[int(outputs.argmax())], scores=tuple(outputs.tolist()))

    def infer_batch(self, inputs: Inputs) -> Floats:
        scores: Floats = self._embed_batch(inputs) @ self._weights + self._intercept
        return scores

    def decode_batch(self, outputs: Floats) -> list[Answer]:
        """Return an answer a row of scores."""
        return [self.decode(row) for row in outputs]

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return self.runs_on

    def close(self) -> None:
        """Drop the native session."""
        del self.encode, self.encode_batch, self._embed, self._embed_batch


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


def _means(tokens: Floats, mask: npt.NDArray[np.int64]) -> Floats:
    """Return the mean over each row's unmasked tokens."""
    weights = mask.astype(np.float32)
    totals = np.einsum("bnd,bn->bd", tokens, weights)
    means: Floats = totals / weights.sum(axis=1, keepdims=True)
    return means


def _tokenizer(path: Path, max_length: int) -> Tokenizer:
    if not path.is_file():
        raise WorkerError(f"{path}: no such file; prepare the artefact again")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(max_length)
    tokenizer.no_padding()  # the file may ask for a fixed length
    return tokenizer
