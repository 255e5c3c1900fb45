"""Kept rows -> items and the split they are tested by: folds, one held-out part, or later rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from steelyard.api import Item
from steelyard.card import Split
from steelyard.errors import DataError
from steelyard.prepare.folds import assign_folds
from steelyard.weigh.intake import Kept

FOLDS = 5
# Up to here every row is tested once, by a model that did not see it: few labels tell the most so.
# Beyond, a fifth of the rows is enough to test on, and training five times is a waste.
MOST_FOLDED = 5_000
TRAIN_SHARE = 0.8

How = Literal["stratified", "grouped", "by-time"]


class Division(Struct, frozen=True, kw_only=True):
    """Items with their folds; `tested` of them are test items. `split` is what the card says."""

    items: tuple[Item, ...]
    split: Split
    how: How
    tested: int
    notes: tuple[str, ...] = ()

    @property
    def rows_per_test_item(self) -> float:
        """Return how many more labelled rows give one more test item."""
        return len(self.items) / self.tested


def divide(rows: Sequence[Kept], seed: int, name: str) -> Division:
    """Divide rows as their columns ask: by time, by group, else evenly by label."""
    items = tuple(
        Item(id=f"row-{row.line}", text=row.text, label=row.label, group=row.group) for row in rows
    )
    if rows[0].moment is not None:
        return _checked(_by_time(items, rows, name), name)
    grouped = rows[0].group is not None
    if grouped:
        groups = len({row.group for row in rows})
        if groups < 2:
            raise DataError(f"{name}: all rows are of one group: none is left to test on")
        folds = min(FOLDS, groups)
    else:
        folds = FOLDS
    split = Split(kind="folds", folds=folds, by_group=grouped, seed=seed)
    placed = assign_folds(items, split)
    how: How = "grouped" if grouped else "stratified"
    if len(items) <= MOST_FOLDED:
        return _checked(Division(items=placed, split=split, how=how, tested=len(items)), name)
    held_out = frozenset(item.id for item in placed if item.fold == 0)
    return _checked(_official(items, held_out, how), name)


def _official(items: Sequence[Item], tested: frozenset[str], how: How) -> Division:
    placed = tuple(
        Item(
            id=item.id,
            text=item.text,
            label=item.label,
            group=item.group,
            fold=0 if item.id in tested else None,
        )
        for item in items
    )
    return Division(items=placed, split=Split(kind="official"), how=how, tested=len(tested))


def _by_time(items: Sequence[Item], rows: Sequence[Kept], name: str) -> Division:
    """Train on the earlier rows and test on those later than all of them."""
    moments = [row.moment for row in rows if row.moment is not None]
    if len({one.dated for one in moments}) > 1:
        raise DataError(f"{name}: the column of times mixes dates and numbers; make them alike")
    values = sorted(one.value for one in moments)
    if values[0] == values[-1]:
        raise DataError(f"{name}: all rows have one time: none is later than the others")
    # Rows of one moment stay together, so that no test item is as early as a train item.
    last = values[max(0, round(TRAIN_SHARE * len(values)) - 1)]
    if last == values[-1]:
        last = max(value for value in values if value < values[-1])
    later = frozenset(item.id for item, one in zip(items, moments, strict=True) if one.value > last)
    return _official(items, later, "by-time")


def _checked(division: Division, name: str) -> Division:
    """Refuse a split in which some model would learn fewer than two labels."""
    folded = division.split.kind == "folds"
    for fold in range(division.split.folds or 1):
        learned = {
            item.label
            for item in division.items
            if (item.fold != fold if folded else item.fold is None)
        }
        if len(learned) < 2:
            raise DataError(
                f"{name}: {_WHERE[division.how]} the rows to train on have fewer than two labels"
            )
    return division


_WHERE = {
    "stratified": "split by label,",
    "grouped": "split by group,",
    "by-time": "before the time at which testing begins,",
}
