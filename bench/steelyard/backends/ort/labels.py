"""Score whole labels as continuations of one prompt: the tree they share, the search for the best.

A label's score is the sum of its tokens' log-probabilities, its end-of-turn token's among them:
without the end "oil" would never score below "oil prices", whatever the model meant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

# Added to an attention score, it leaves no weight; finite, so that no row becomes nan.
HIDDEN = np.finfo(np.float32).min
ROOT = -1


class Step(Struct, frozen=True):
    """One token of a label and the place that predicts it: a node of the tree, or ROOT."""

    place: int
    token: int


class Tree(Struct, frozen=True, kw_only=True):
    """Labels as paths. A node is a token that another one follows; `parents` come before children.

    The place before the first token, the prompt's last position, is ROOT.
    """

    tokens: tuple[int, ...]
    parents: tuple[int, ...]
    paths: tuple[tuple[Step, ...], ...]


def grow(labels: Sequence[Sequence[int]]) -> Tree:
    """Merge token sequences into a tree, each shared beginning once."""
    nodes: dict[tuple[int, ...], int] = {(): ROOT}
    tokens: list[int] = []
    parents: list[int] = []
    paths = []
    for label in labels:
        steps = []
        for depth, token in enumerate(label):
            place = nodes[tuple(label[:depth])]
            steps.append(Step(place, int(token)))
            node = tuple(label[: depth + 1])
            if depth + 1 < len(label) and node not in nodes:
                nodes[node] = len(tokens)
                tokens.append(int(token))
                parents.append(place)
        paths.append(tuple(steps))
    return Tree(tokens=tuple(tokens), parents=tuple(parents), paths=tuple(paths))


def depths(tree: Tree) -> IntArray:
    """Return each node's distance from the prompt's last token, 1 for a first token."""
    found: list[int] = []
    for parent in tree.parents:
        found.append(1 if parent == ROOT else found[parent] + 1)
    return np.asarray(found, dtype=np.int64)


def attention_bias(past: int, prompt: int, tree: Tree) -> FloatArray:
    """Return the (1, 1, length, past + length) bias of `prompt` tokens followed by a tree's nodes.

    Prompt tokens see what is before them; a node sees the prompt, its ancestors and itself.
    """
    length = prompt + len(tree.tokens)
    seen = np.tri(length, past + length, past, dtype=bool)
    seen[prompt:, past + prompt :] = False
    for node, parent in enumerate(tree.parents):
        row = prompt + node
        if parent != ROOT:
            seen[row, past + prompt :] = seen[prompt + parent, past + prompt :]
        seen[row, past + row] = True
    bias: FloatArray = np.where(seen, np.float32(0), HIDDEN)[None, None]
    return bias


def log_probabilities(logits: FloatArray, places: IntArray, tokens: IntArray) -> FloatArray:
    """Return the log-probability of `tokens[i]` at row `places[i]` of `logits`."""
    highest = logits.max(axis=1)
    totals = np.exp(logits - highest[:, None]).sum(axis=1, dtype=np.float64)
    normalisers = highest + np.log(totals)
    picked: FloatArray = (logits[places, tokens] - normalisers[places]).astype(np.float32)
    return picked


def sums(tree: Tree, logits: FloatArray) -> FloatArray:
    """Return each label's summed log-probability; row 0 of `logits` is ROOT's, row i + 1 node i's.

    Rows beyond those given are of nodes not yet run: their steps are left out.
    """
    steps = [(label, step) for label, path in enumerate(tree.paths) for step in path]
    known = [(label, step) for label, step in steps if step.place + 1 < len(logits)]
    places = np.array([step.place + 1 for _, step in known], dtype=np.int64)
    tokens = np.array([step.token for _, step in known], dtype=np.int64)
    values = log_probabilities(logits, places, tokens)
    totals = np.zeros(len(tree.paths), dtype=np.float64)
    np.add.at(totals, [label for label, _ in known], values)
    return totals.astype(np.float32)


class Scale(Struct, frozen=True, kw_only=True):
    """How a label's sum becomes its score: over how many tokens, less what prior."""

    lengths: tuple[int, ...]
    mean: bool
    priors: tuple[float, ...]

    def score(self, label: int, total: float) -> float:
        """Return a label's score; it grows with `total`."""
        value = total / self.lengths[label] if self.mean else total
        return value - self.priors[label] if self.priors else value


class Found(Struct, frozen=True, kw_only=True):
    """The best label and what was learned on the way: exact scores of the labels asked."""

    best: int
    scores: dict[int, float]


def search(
    bounds: Sequence[float], score: Callable[[Sequence[int]], Sequence[float]], batch: int
) -> Found:
    """Return the label with the highest score, asking for exact scores only while it matters.

    `bounds[i]` must be no less than label i's score: the part of a label already scored is such a
    bound, since every further token adds a logarithm of a probability. Ties go to the lower index.
    """
    order = sorted(range(len(bounds)), key=lambda label: (-bounds[label], label))
    scores: dict[int, float] = {}
    for start in range(0, len(order), batch):
        asked = order[start : start + batch]
        scores.update(zip(asked, (float(s) for s in score(asked)), strict=True))
        highest = max(scores.values())
        rest = order[start + batch :]
        if not rest or bounds[rest[0]] < highest:
            break
    return Found(best=min(scores, key=lambda label: (-scores[label], label)), scores=scores)
