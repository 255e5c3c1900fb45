"""Greedy generation with a key-value cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from steelyard.backends.ort.labels import FloatArray, IntArray

Cache = tuple[FloatArray, ...]

# A longer prompt is run in pieces: attention takes memory by the square of what is run at once.
AT_ONCE = 1024


class Extending(Protocol):
    """A network that runs tokens after a cache."""

    def extend(self, cache: Cache, tokens: IntArray) -> tuple[FloatArray, Cache]:
        """Return the last token's logits [1, vocabulary] and the longer cache."""
        ...


def extended(network: Extending, cache: Cache, tokens: IntArray) -> tuple[FloatArray, Cache]:
    """Run any number of tokens after a cache; return the last one's logits and the longer cache."""
    for start in range(0, len(tokens) - AT_ONCE, AT_ONCE):
        cache = network.extend(cache, tokens[start : start + AT_ONCE])[1]
    left = (len(tokens) - 1) // AT_ONCE * AT_ONCE
    return network.extend(cache, tokens[left:])


def greedy(
    network: Extending, cache: Cache, tokens: IntArray, end: int, limit: int
) -> Iterator[int]:
    """Yield up to `limit` tokens after `tokens`, each the most probable; `end` is the last."""
    for _ in range(limit):
        logits, cache = extended(network, cache, tokens)
        token = int(logits[-1].argmax())
        yield token
        if token == end:
            return
        tokens = np.array([token], dtype=np.int64)
