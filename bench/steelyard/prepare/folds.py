"""Assign folds by hash: the same items and seed give the same folds anywhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256

import msgspec

from steelyard.api import Item
from steelyard.card import Split
from steelyard.errors import PrepareError


def hash_rank(seed: int, name: str) -> bytes:
    """Return what items are put in a fixed, arbitrary order by."""
    return sha256(f"{seed}:{name}".encode()).digest()


def assign_folds(items: Sequence[Item], split: Split) -> tuple[Item, ...]:
    """Return the items with their folds set; an official split stays as the reader set it."""
    if split.kind == "official":
        return tuple(items)
    if split.folds is None:
        raise PrepareError("split.folds: missing; kind 'folds' needs a number of folds")
    if split.by_group:
        folds = grouped_folds(items, split.folds, split.seed)
    else:
        folds = stratified_folds(items, split.folds, split.seed)
    return tuple(msgspec.structs.replace(item, fold=folds[item.id]) for item in items)


def stratified_folds(items: Sequence[Item], folds: int, seed: int) -> dict[str, int]:
    """Return a fold by item id: labels spread evenly, sizes within one of each other."""
    by_label: dict[str, list[str]] = defaultdict(list)
    for item in items:
        by_label[item.label].append(item.id)
    # One count over all labels: each restarting at fold 0 would swell the first folds.
    ranked = [
        name
        for label in sorted(by_label)
        for name in sorted(by_label[label], key=lambda name: hash_rank(seed, name))
    ]
    return {name: number % folds for number, name in enumerate(ranked)}


def grouped_folds(items: Sequence[Item], folds: int, seed: int) -> dict[str, int]:
    """Return a fold by item id: a group stays whole and goes to the fold with the fewest items."""
    by_group: dict[str, list[str]] = defaultdict(list)
    for item in items:
        if item.group is None:
            raise PrepareError(f"item {item.id}: no group, but split.by_group is set")
        by_group[item.group].append(item.id)
    if len(by_group) < folds:
        raise PrepareError(f"split.folds: {folds} folds of only {len(by_group)} groups")
    sizes = [0] * folds
    assigned: dict[str, int] = {}
    for group in sorted(by_group, key=lambda group: hash_rank(seed, group)):
        fold = sizes.index(min(sizes))
        sizes[fold] += len(by_group[group])
        assigned.update(dict.fromkeys(by_group[group], fold))
    return assigned
