"""Choose a sample of items that is fixed by hash, spread over the labels and nested."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from steelyard.api import Item
from steelyard.errors import PrepareError
from steelyard.prepare.folds import hash_rank


def sample(items: Sequence[Item], n: int, seed: int, *, balanced: bool = False) -> tuple[Item, ...]:
    """Return `n` of the items in their own order; a smaller sample is part of a larger one.

    Labels come in proportion to their frequency, each at least once where `n` allows, or equally
    often if `balanced` (until the rare ones are used up).
    """
    if n < 1:
        raise PrepareError(f"a sample of {n} items; expected 1 or more")
    chosen = {item.id for item in _queue(items, seed, balanced=balanced)[:n]}
    return tuple(item for item in items if item.id in chosen)


def _queue(items: Sequence[Item], seed: int, *, balanced: bool) -> list[Item]:
    """Return all items in the order in which samples take them."""
    by_label: dict[str, list[Item]] = defaultdict(list)
    for item in sorted(items, key=lambda item: hash_rank(seed, item.id)):
        by_label[item.label].append(item)
    turns = []
    for label, members in by_label.items():
        # Frequent labels first: a sample smaller than the list of labels misses the rare ones.
        tie = (-len(members), hash_rank(seed, label))
        for rank, item in enumerate(members):
            turns.append((*_turn(rank, len(members), balanced=balanced), *tie, item))
    return [turn[-1] for turn in sorted(turns, key=lambda turn: turn[:-1])]


def _turn(rank: int, size: int, *, balanced: bool) -> tuple[int, float]:
    """Return when the item at `rank` of its label is taken.

    The first of every label goes before all; then each label's items lie evenly in [0, 1], so
    that every beginning of the queue holds the labels in proportion.
    """
    if balanced:
        return (rank, 0.0)
    return (min(rank, 1), (rank + 0.5) / size if rank else 0.0)
