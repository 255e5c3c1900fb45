"""Greedy generation with llama.cpp."""

from __future__ import annotations

from collections.abc import Iterator

from steelyard.backends.llamacpp.network import Network
from steelyard.backends.ort.prefix import Inputs


def greedy(network: Network, inputs: Inputs, end: int, limit: int) -> Iterator[int]:
    """Yield up to `limit` tokens after a prompt, each the most probable; `end` is the last.

    What the prompt begins with must be held.
    """
    start, tokens = inputs.start, inputs.tokens.tolist()
    for _ in range(limit):
        token = int(network.run(start, tokens)[-1].argmax())
        yield token
        if token == end:
            return
        start, tokens = start + len(tokens), [token]
