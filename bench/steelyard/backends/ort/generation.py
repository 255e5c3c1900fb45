"""Greedy generation with a key-value cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from steelyard.backends.ort.labels import FloatArray, IntArray

Cache = tuple[FloatArray, ...]


class Extending(Protocol):
    """A network that runs tokens after a cache."""

    def extend(self, cache: Cache, tokens: IntArray) -> tuple[FloatArray, Cache]:
        """Return the last token's logits [1, vocabulary] and the longer cache."""
        ...


def greedy(
    network: Extending, cache: Cache, tokens: IntArray, end: int, limit: int
) -> Iterator[int]:
    """Yield up to `limit` tokens after `tokens`, each the most probable; `end` is the last."""
    for _ in range(limit):
        logits, cache = network.extend(cache, tokens)
        token = int(logits[-1].argmax())
        yield token
        if token == end:
            return
        tokens = np.array([token], dtype=np.int64)
