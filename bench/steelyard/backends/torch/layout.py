"""Lay several prompts and the labels' tree out as one padded batch, with what each token sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.backends.ort import labels
from steelyard.backends.ort.labels import IntArray, Tree

BoolArray = NDArray[np.bool_]


class Rest(Struct, frozen=True, kw_only=True):
    """What of one prompt is still to be run: its tokens after the first `start`, held already."""

    start: int
    tokens: IntArray


class Layout(Struct, frozen=True, kw_only=True):
    """A batch: B rows of L tokens, of which the first `prompt` columns are prompts.

    Prompts end in the same column, so that the same columns are looked at in every row; what fills
    up short ones on the left is seen by nobody. `seen` is (B, L, held + L): what is held comes
    first. `real` is (B, prompt), False where a column only fills up.
    """

    tokens: IntArray
    positions: IntArray
    seen: BoolArray
    real: BoolArray
    prompt: int


def lay_out(rests: Sequence[Rest], held: BoolArray, tree: Tree) -> Layout:
    """Return the batch of prompts' rests, each followed by the nodes of one tree.

    `held` is (B, K): which of K tokens held before each row may see. A prompt's token sees those,
    and what is before it; a node sees its whole prompt, its ancestors and itself. A node's position
    is that of a token that follows its parent.
    """
    widest, nodes, known = max(len(rest.tokens) for rest in rests), len(tree.tokens), held.shape[1]
    rows, columns = len(rests), widest + nodes
    tokens = np.zeros((rows, columns), np.int64)
    positions = np.zeros((rows, columns), np.int64)
    real = np.zeros((rows, widest), np.bool_)
    for row, rest in enumerate(rests):
        filled = widest - len(rest.tokens)
        end = rest.start + len(rest.tokens)
        tokens[row, filled:widest] = rest.tokens
        positions[row, filled:widest] = np.arange(rest.start, end)
        positions[row, widest:] = end - 1 + labels.depths(tree)
        real[row, filled:] = True
    tokens[:, widest:] = tree.tokens
    seen = np.zeros((rows, columns, known + columns), np.bool_)
    seen[:, :, :known] = held[:, None]
    seen[:, :widest, known : known + widest] = np.tri(widest, dtype=np.bool_) & real[:, None]
    seen[:, widest:, known : known + widest] = real[:, None]
    seen[:, widest:, known + widest :] = _ancestry(tree)
    # What fills up sees itself: a row that sees nothing has no softmax.
    places = np.arange(columns)
    seen[:, places, known + places] = True
    return Layout(tokens=tokens, positions=positions, seen=seen, real=real, prompt=widest)


def _ancestry(tree: Tree) -> BoolArray:
    """Return (N, N): which nodes a node sees of the tree."""
    nodes = len(tree.tokens)
    seen = np.eye(nodes, dtype=np.bool_)
    for node, parent in enumerate(tree.parents):
        if parent != labels.ROOT:
            seen[node] |= seen[parent]
    return seen
