"""What recipes of networks over pictures share: train items, their pictures, the facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from steelyard.api import BuildRequest, Item, TrainingSet
from steelyard.errors import PrepareError
from steelyard.recipes import sampling


def train_items(training: TrainingSet, fold: int, most: int, seed: int) -> list[Item]:
    """Return at most `most` train items of a fold; raise PrepareError with fewer than two labels.

    More are drawn in proportion to their labels.
    """
    items = sampling.stratified(training.train_items(fold), most, seed)
    if len({item.label for item in items}) < 2:
        raise PrepareError(
            f"task {training.task}, fold {fold}: {len(items)} train items with fewer than two "
            "labels; check the card's split"
        )
    return items


def pictures(request: BuildRequest, items: Sequence[Item]) -> Iterator[Any]:
    """Yield the picture of each item; raise PrepareError where the task has none."""
    from steelyard.arrays import Arrays

    if request.arrays is None:
        raise PrepareError("the task has no pictures: this recipe serves modality 'image'")
    rows = Arrays(request.arrays)
    for item in items:
        if item.array is None:
            raise PrepareError(f"item {item.id} has no picture")
        yield rows[item.array.row]


def write_facts(folder: Path, facts: Any) -> None:
    """Write `array.json`, which the session `array` reads."""
    from steelyard.backends.ort.array_input import FACTS

    (folder / FACTS).write_bytes(msgspec.json.encode(facts, order="sorted"))
