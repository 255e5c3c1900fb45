"""What is asked and what is answered."""

from __future__ import annotations

from msgspec import Struct

from steelyard.card import Label


class ArrayRef(Struct, frozen=True, kw_only=True):
    """An array of a task's data: its row (steelyard.arrays) and its identity."""

    row: int
    sha256: str


class Item(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item of a task.

    What a model is asked is `text` or, of an image, a sound or a signal, `array`. An item with both
    says the same in words: a model that is asked in words gets the text, any other the array.
    `label` is the expected answer: a label id or, where the task's answers are spans, numbers or
    text, those as steelyard.notation writes them. `fold` is the fold whose *test* part holds the
    item; None: the item only ever trains. A task with an official split has one fold, 0. Items that
    share `group` stay together.
    """

    id: str
    text: str = ""
    label: str
    array: ArrayRef | None = None
    group: str | None = None
    fold: int | None = None


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a model said, as `Item.label` is written.

    Of a label: where it has them, a score a label in the task's order. `unreadable` says that what
    a model wrote is no answer of the task's kind: `label` is then an empty one.
    """

    label: str
    scores: tuple[float, ...] | None = None
    unreadable: bool = False


class TrainingSet(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task as a recipe sees it. Fold k trains on the items whose `fold` is not k.

    With `chosen`, ids a fold, it trains on these alone: a point of a learning curve. Recipes ask
    `train_items`, which knows.
    """

    task: str
    labels: tuple[Label, ...]
    folds: int
    items: tuple[Item, ...]
    chosen: tuple[tuple[str, ...], ...] = ()

    def train_items(self, fold: int) -> tuple[Item, ...]:
        """Return the items that may train the model tested on `fold`."""
        if self.chosen:
            names = frozenset(self.chosen[fold])
            return tuple(item for item in self.items if item.id in names)
        if self.folds == 1:
            return tuple(item for item in self.items if item.fold is None)
        return tuple(item for item in self.items if item.fold != fold)
