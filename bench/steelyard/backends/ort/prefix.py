"""A prompt whose beginning, which all texts share, is run once and cached."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from msgspec import Struct
from tokenizers import Tokenizer

from steelyard.api import RenderedPrompt
from steelyard.backends.ort.generation import Cache, Extending
from steelyard.backends.ort.labels import IntArray
from steelyard.backends.ort.tokens import PromptReader, common


class Caching(Extending, Protocol):
    """A network that also makes an empty cache."""

    def empty(self) -> Cache:
        """Return the cache of no tokens."""
        ...


class Inputs(Struct, frozen=True, kw_only=True):
    """What of a prompt is still to be run: its tokens after the first `start`, which are cached."""

    start: int
    tokens: IntArray


class Prefix:
    """The tokens that every prompt begins with, and the cache of having run them."""

    def __init__(self, network: Caching, tokenizer: Tokenizer, prompt: RenderedPrompt) -> None:
        """Run the tokens: work that is done once, when a session is opened."""
        self._reader = PromptReader(tokenizer, prompt)
        self.tokens = self._reader.shared()
        self._cache = network.extend(network.empty(), self.tokens)[1]

    def encode(self, text: str) -> Inputs:
        """Tokenise the whole prompt; what the cache holds of it need not be run again.

        Prefix, text and suffix are tokenised together, so that the tokens at their borders are
        those that the model would see in one piece.
        """
        tokens = self._reader.tokens(text)
        start = common(self.tokens, tokens[:-1])
        return Inputs(start=start, tokens=tokens[start:])

    def cache(self, length: int) -> Cache:
        """Return the cache of the first `length` tokens."""
        if length == len(self.tokens):
            return self._cache
        return tuple(np.ascontiguousarray(half[:, :, :length]) for half in self._cache)

    def drop(self) -> None:
        """Let go of the cache."""
        self._cache = ()
