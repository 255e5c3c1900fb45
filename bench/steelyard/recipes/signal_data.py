"""What recipes of signals share: a fold's train items with their arrays, and their division."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from steelyard.api import BuildRequest, Item, TrainingSet
from steelyard.arrays import Arrays
from steelyard.errors import PrepareError
from steelyard.recipes import sampling

CV_PARTS = 3
FEWEST_FOR_CV = 30


class Fold(Struct, frozen=True, kw_only=True):
    """Train items, what stands for each (an array or its features), and its label's number."""

    items: Sequence[Item]
    values: Sequence[Any]
    targets: Sequence[int]


def without_arrays(request: BuildRequest, recipe: str) -> str | None:
    """Say that a recipe which learns from arrays was given none, or return None."""
    if request.arrays is None:
        return f"recipe {recipe!r} learns from arrays: its task must be of signals"
    return None


def arrays_of(request: BuildRequest, training: TrainingSet) -> dict[str, Any]:
    """Return the array of each item that some fold trains on, by the item's id."""
    if request.arrays is None:
        raise PrepareError(f"task {training.task}: its items have no arrays")
    kept = Arrays(request.arrays)
    used = {item.id: item for k in range(training.folds) for item in training.train_items(k)}
    return {name: kept[item.array.row] for name, item in used.items() if item.array is not None}


def fold_of(training: TrainingSet, number: int, values: Mapping[str, Any]) -> Fold:
    """Return what trains fold `number`; raise PrepareError with fewer than two labels."""
    items = training.train_items(number)
    labels = [label.id for label in training.labels]
    if len({item.label for item in items}) < 2:
        raise PrepareError(
            f"task {training.task}, fold {number}: {len(items)} train items with fewer than two "
            "labels; check the card's split"
        )
    return Fold(
        items=items,
        values=[values[item.id] for item in items],
        targets=[labels.index(item.label) for item in items],
    )


def parts_of(fold: Fold, seed: int) -> list[int] | None:
    """Return the part of each item for cross-validation, groups whole; None for too few items."""
    if len(fold.items) < FEWEST_FOR_CV:
        return None
    parts = sampling.deal(fold.items, CV_PARTS, seed)
    for held_out in range(CV_PARTS):
        kept = [t for t, part in zip(fold.targets, parts, strict=True) if part != held_out]
        if len(set(kept)) < 2 or len(kept) == len(parts):
            return None
    return parts
