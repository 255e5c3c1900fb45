"""Draw the train items that a point of a learning curve learns from."""

from __future__ import annotations

from msgspec import structs

from steelyard import subsets
from steelyard.api import Item, TrainingSet
from steelyard.errors import Refusal
from steelyard.prepare.sampling import sample
from steelyard.record import Subset

# Draws of one suite seed are apart from those of the next.
MOST_DRAWS = 100


def restrict(training: TrainingSet, subset: Subset, seed: int) -> TrainingSet:
    """Return the task with only the drawn items to train on, so many a fold.

    A draw's order of the items is fixed by hash, so that a smaller size of the same draw is part
    of a larger one. Each label comes once before any comes twice, then in proportion to their
    frequency. Raises Refusal where a fold's train items are too few, or the size is for its labels.
    """
    if subset.labels is None:
        return training
    drawn = tuple(
        _drawn(training, fold, subset.labels, MOST_DRAWS * seed + subset.draw)
        for fold in range(training.folds)
    )
    used = {item.id for fold in drawn for item in fold}
    return structs.replace(
        training,
        # What no fold learns from does not travel, and cannot be learned from by mistake.
        items=tuple(item for item in training.items if item.id in used),
        chosen=tuple(tuple(item.id for item in fold) for fold in drawn),
    )


def _drawn(training: TrainingSet, fold: int, size: int, seed: int) -> tuple[Item, ...]:
    items = training.train_items(fold)
    labels = len({item.label for item in items})
    if size < labels:
        raise Refusal(subsets.too_few(size, training.task, labels))
    if size >= len(items):
        raise Refusal(
            f"{size} labelled items are not fewer than the {len(items)} that {training.task} has "
            "to train on; ask for a smaller number, or for 'all'"
        )
    return sample(items, size, seed)
