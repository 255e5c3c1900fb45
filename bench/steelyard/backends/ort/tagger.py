"""The tagger session: tokenise, run the encoder, read the tags of words as spans."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from msgspec import Struct
from tokenizers import Tokenizer

from steelyard.api import Answer, SessionSpec
from steelyard.backends.ort import options
from steelyard.backends.ort.facts import read
from steelyard.errors import WorkerError
from steelyard.notation import format_spans
from steelyard.recipes.span_pieces import first_pieces
from steelyard.recipes.span_tags import BEGIN, OUTSIDE, Place, Units, places, spans_of

FACTS, GRAPH, TOKENIZER = "tagger.json", "tagger.onnx", "tokenizer.json"
OUTPUTS = ["logits"]
GIVEN = ("input_ids", "attention_mask", "token_type_ids")

Rows = npt.NDArray[np.float32]


class Facts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `tagger.json` holds: the units that are tagged, the tag of each column."""

    units: Units
    tags: tuple[str, ...]
    max_length: int


class Words(NamedTuple):
    """Where a text's units stand, and which piece begins each."""

    at: list[Place]
    firsts: list[int | None]


class Inputs(NamedTuple):
    """What the graph is fed, and the words of each row."""

    fed: dict[str, npt.NDArray[np.int64]]
    words: list[Words]


class Outputs(NamedTuple):
    """Scores [rows, pieces, tags], and the words of each row."""

    scores: Rows
    words: list[Words]


class TaggerSession:
    """An opened tagger."""

    def __init__(self, session: ort.InferenceSession, tokenizer: Tokenizer, facts: Facts) -> None:
        self._session = session
        self._names = [wanted.name for wanted in session.get_inputs()]
        self._tokenizer = tokenizer
        self._facts = facts

    def encode(self, text: str) -> Inputs:
        """Return the pieces of one text, cut at the model's length."""
        return self.encode_batch([text])

    def infer(self, inputs: Inputs) -> Outputs:
        scores = np.asarray(self._session.run(OUTPUTS, inputs.fed)[0], np.float32)
        return Outputs(scores, inputs.words)

    def decode(self, outputs: Outputs) -> Answer:
        """Read the best tag of each unit's first piece; a unit without pieces is outside."""
        return self.decode_batch(outputs)[0]

    def encode_batch(self, texts: Sequence[str]) -> Inputs:
        """Return the pieces of several texts, filled up to the longest and masked there."""
        encodings = [self._tokenizer.encode(text) for text in texts]
        shape = len(encodings), max(len(encoding.ids) for encoding in encodings)
        filled = {name: np.zeros(shape, np.int64) for name in GIVEN}
        words = []
        for row, (text, encoding) in enumerate(zip(texts, encodings, strict=True)):
            length = len(encoding.ids)
            filled["input_ids"][row, :length] = encoding.ids
            filled["attention_mask"][row, :length] = encoding.attention_mask
            filled["token_type_ids"][row, :length] = encoding.type_ids
            at = places(text, self._facts.units)
            words.append(Words(at, first_pieces(encoding.offsets, at)))
        return Inputs({name: filled[name] for name in self._names}, words)

    def infer_batch(self, inputs: Inputs) -> Outputs:
        return self.infer(inputs)

    def decode_batch(self, outputs: Outputs) -> list[Answer]:
        best = outputs.scores.argmax(axis=2)
        return [self._answer(row, words) for row, words in zip(best, outputs.words, strict=True)]

    def describe(self) -> tuple[str, ...]:
        """Say what it runs on."""
        return options.runs_on(self._session)

    def close(self) -> None:
        """Drop the native session."""
        del self._session

    def _answer(self, best: npt.NDArray[np.intp], words: Words) -> Answer:
        named = self._facts.tags
        tags = [OUTSIDE if first is None else named[best[first]] for first in words.firsts]
        return Answer(label=format_spans(spans_of(tags, words.at)))


def open_tagger(spec: SessionSpec) -> TaggerSession:
    """Open the artefact of the recipe `encoder-tagger`."""
    folder = Path(spec.artifact)
    session = options.open_session(folder / GRAPH, spec)
    facts = read(folder / FACTS, Facts)
    kinds = {tag[len(BEGIN) :] for tag in facts.tags if tag != OUTSIDE}
    odd = sorted(kinds - {label.id for label in spec.labels})
    if odd:
        raise WorkerError(f"{folder}: {', '.join(odd)}: no labels of the task")
    return TaggerSession(session, _tokenizer(folder / TOKENIZER, facts.max_length), facts)


def _tokenizer(path: Path, max_length: int) -> Tokenizer:
    if not path.is_file():
        raise WorkerError(f"{path}: no such file; prepare the artefact again")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(max_length)
    tokenizer.no_padding()  # the file may ask for a fixed length
    return tokenizer
