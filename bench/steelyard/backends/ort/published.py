"""What a recipe notes of a classifier, and how its texts become batches of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from steelyard import wording
from steelyard.api import SessionSpec
from steelyard.backends.ort.facts import read
from steelyard.backends.ort.tokens import tokenizer_at
from steelyard.errors import WorkerError

FACTS, TOKENIZER = "classifier.json", "tokenizer.json"
GIVEN = ("input_ids", "attention_mask", "token_type_ids")

Tokens = dict[str, NDArray[np.int64]]


class Facts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Its own labels in the order of its outputs, where texts are cut, what fills up short ones.

    With `pairs` a text's first line and the rest are encoded as two.
    """

    labels: tuple[str, ...]
    max_length: int
    pad: int
    pairs: bool = False


class Reading:
    """Tokenises texts for a classifier; `names` are the inputs that it takes."""

    def __init__(self, tokenizer: Tokenizer, facts: Facts, names: Sequence[str]) -> None:
        tokenizer.enable_truncation(facts.max_length)
        tokenizer.no_padding()  # the file may ask for a fixed length
        self._tokenizer = tokenizer
        self.facts = facts
        self._names = tuple(names)

    def encode(self, texts: Sequence[str]) -> Tokens:
        """Return the token ids of texts, filled up to the longest and masked there.

        One after the other: the tokeniser's own batches start threads beside the measured ones.
        """
        encodings = [self._encoding(text) for text in texts]
        # A text without any token is one that fills up: a model needs something to run.
        shape = len(encodings), max(1, *(len(encoding.ids) for encoding in encodings))
        filled = {name: np.zeros(shape, np.int64) for name in GIVEN}
        filled["input_ids"][:] = self.facts.pad
        for row, encoding in enumerate(encodings):
            length = len(encoding.ids)
            filled["input_ids"][row, :length] = encoding.ids
            filled["attention_mask"][row, :length] = 1
            filled["token_type_ids"][row, :length] = encoding.type_ids
        return {name: filled[name] for name in self._names}

    def _encoding(self, text: str) -> Encoding:
        if not self.facts.pairs:
            return self._tokenizer.encode(text)
        first, _, second = text.partition("\n")
        return self._tokenizer.encode(first, second)


def reading(folder: Path, names: Sequence[str]) -> Reading:
    """Return the tokeniser of an artefact for a model that takes these inputs."""
    facts = read(folder / FACTS, Facts)
    return Reading(tokenizer_at(folder / TOKENIZER), facts, [n for n in GIVEN if n in names])


def columns_of(facts: Facts, spec: SessionSpec) -> list[int]:
    """Return where each label of the task stands among the model's own; raise WorkerError."""
    found = wording.match(facts.labels, [(label.id, label.words) for label in spec.labels])
    if found is None:
        wanted = ", ".join(label.id for label in spec.labels)
        raise WorkerError(
            f"{spec.artifact}: its labels are {', '.join(facts.labels)}; the task's are {wanted}"
        )
    return list(found)
