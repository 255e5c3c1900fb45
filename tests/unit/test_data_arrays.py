"""Items that are images, sounds, signals: arrays kept, hashed, checked, and kept apart by fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.unit.test_data import FOLDS, card

from steelyard.api import ArrayItems, Item, Label
from steelyard.arrays import Arrays
from steelyard.card import Option, TaskCard
from steelyard.errors import PrepareError
from steelyard.prepare import data


class Signals:
    """A reader of arrays."""

    def __init__(self, *arrays: Sequence[float], label: str = "a") -> None:
        self.arrays, self.label = arrays, label

    def read_arrays(
        self, paths: Mapping[str, Path], options: Mapping[str, Option], labels: Sequence[Label]
    ) -> ArrayItems:
        items = (Item(id=f"i{n}", label=self.label) for n in range(len(self.arrays)))
        return ArrayItems(
            items=tuple(items), arrays=tuple(np.array(one, "<f4") for one in self.arrays)
        )


def signal_card(**changes: object) -> TaskCard:
    raw = msgspec.to_builtins(card(FOLDS)) | {"modality": "signal"} | changes
    return msgspec.convert(raw, TaskCard)


def made(tmp_path: Path, reader: Signals, **changes: object) -> data.Dataset:
    return data.dataset(signal_card(**changes), {"mine.csv": Path("mine.csv")}, reader, tmp_path)


def test_each_item_names_its_row_and_the_content_of_it(tmp_path: Path) -> None:
    found = made(tmp_path, Signals([1, 2], [3], [4, 5, 6]))

    rows = Arrays(tmp_path)
    assert [item.array.row for item in found.items if item.array] == [0, 1, 2]
    assert [rows[row].tolist() for row in range(3)] == [[1, 2], [3], [4, 5, 6]]
    assert len({item.array.sha256 for item in found.items if item.array}) == 3


def test_other_values_are_other_data(tmp_path: Path) -> None:
    one, other = (made(tmp_path, Signals([1, 2], [3, last])) for last in (4, 5))

    assert one.sha256 != other.sha256


def test_equal_signals_on_both_sides_of_a_split_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match="repeat a signal of another part"):
        made(tmp_path, Signals([1, 2], [1, 2]))


def test_a_text_reader_cannot_serve_a_task_of_signals(tmp_path: Path) -> None:
    from tests.unit.test_data import Fixed, items

    with pytest.raises(PrepareError, match="it has no array, which modality 'signal' needs"):
        data.dataset(signal_card(), {"mine.csv": Path("mine.csv")}, Fixed(*items(3)), tmp_path)


NO_LABELS: dict[str, object] = {"answers": "numbers", "labels": []}


def test_numbers_are_expected_in_their_notation(tmp_path: Path) -> None:
    found = made(tmp_path, Signals([1], [2], label="[1.5,2.0]"), **NO_LABELS)

    assert {item.label for item in found.items} == {"[1.5,2.0]"}


@pytest.mark.parametrize("label", ["[]", "1.5", "a"])
def test_other_expectations_than_numbers_are_refused(tmp_path: Path, label: str) -> None:
    with pytest.raises(PrepareError):
        made(tmp_path, Signals([1], [2], label=label), **NO_LABELS)


SPANNED = [Item(id="i1", text="Ann is in Rome", label='[[0,3,"a"],[10,14,"b"]]'),
           Item(id="i2", text="nobody", label="[]")]  # fmt: skip


def spans(*items: Item) -> data.Dataset:
    from tests.unit.test_data import Fixed

    raw = msgspec.to_builtins(card(FOLDS)) | {"answers": "spans"}
    task = msgspec.convert(raw, TaskCard)
    return data.dataset(task, {"mine.csv": Path("mine.csv")}, Fixed(*items), Path("nowhere"))


def test_spans_of_the_tasks_types_are_kept() -> None:
    assert len(spans(*SPANNED).items) == 2


@pytest.mark.parametrize("label", ['[[0,3,"c"]]', '[[0,99,"a"]]', "a", '[[3,3,"a"]]'])
def test_spans_of_other_types_or_beyond_the_text_are_refused(label: str) -> None:
    with pytest.raises(PrepareError):
        spans(msgspec.structs.replace(SPANNED[0], label=label), SPANNED[1])


@pytest.mark.parametrize(
    ("answers", "labels"), [("label", 1), ("spans", 0), ("numbers", 1), ("text", 2)]
)
def test_a_card_with_the_wrong_number_of_labels_is_refused(answers: str, labels: int) -> None:
    given = [{"id": f"l{n}", "words": f"l{n}"} for n in range(labels)]

    with pytest.raises(msgspec.ValidationError, match="labels"):
        signal_card(answers=answers, labels=given)
