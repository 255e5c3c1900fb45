"""Which train items a point of a learning curve learns from, and how suites ask for points."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.builders import MODEL_CARD, record
from tests.unit.test_catalog import cards

from steelyard import catalog, plan
from steelyard.api import Item, Label, TrainingSet
from steelyard.errors import CardError, Refusal
from steelyard.plan import PlannedCell
from steelyard.prepare import drawing
from steelyard.record import Record, Subset

SUITE = """
schema = 1
name = "toy"
tasks = ["toy"]

[[entries]]
models = ["tiny@int8"]
device = "cpu-1t"
labels = [2, 8, "all"]
draws = 2
"""


def task(labels: str, folds: int = 1) -> TrainingSet:
    items = tuple(
        Item(id=f"i{n}", text=str(n), label=label, fold=None if folds == 1 else n % folds)
        for n, label in enumerate(labels)
    )
    known = tuple(Label(id=name, words=name) for name in sorted(set(labels)))
    return TrainingSet(task="toy", labels=known, folds=folds, items=items)


def subset(labels: int | None, draw: int = 0) -> Subset:
    return Subset(variant="fp32", labels=labels, draw=draw)


def ids(training: TrainingSet, fold: int = 0) -> set[str]:
    return {item.id for item in training.train_items(fold)}


def planned(folder: Path, text: str = SUITE, model: str = MODEL_CARD) -> tuple[PlannedCell, ...]:
    path = folder / "bench.toml"
    path.write_text(text)
    found = catalog.load([cards(folder / "cards", model=model)])
    return plan.cells(plan.load_suite(path), found, 2)


@given(
    labels=st.text("abcd", min_size=12, max_size=60),
    sizes=st.tuples(st.integers(4, 11), st.integers(4, 11)),
    draw=st.integers(0, 5),
)
def test_a_draw_has_its_size_every_label_and_the_smaller_draws(
    labels: str, sizes: tuple[int, int], draw: int
) -> None:
    whole = task(labels)
    small, large = (drawing.restrict(whole, subset(n, draw), 0) for n in sorted(sizes))

    assert len(ids(small)) == min(sizes)
    assert {item.label for item in small.train_items(0)} == set(labels)
    assert ids(small) <= ids(large)


def test_labels_come_in_proportion_once_each_has_one() -> None:
    drawn = drawing.restrict(task("a" * 80 + "b" * 19 + "c"), subset(20), 0)

    assert Counter(item.label for item in drawn.train_items(0)) == {"a": 15, "b": 4, "c": 1}


def test_draws_and_seeds_differ_and_are_the_same_each_time() -> None:
    whole = task("ab" * 50)
    draws = {frozenset(ids(drawing.restrict(whole, subset(10, d), s)))
             for d in range(3) for s in range(3)}  # fmt: skip

    assert len(draws) == 9
    again = ids(drawing.restrict(whole, subset(10, 2), 1))
    assert frozenset(again) in draws


def test_each_fold_learns_from_its_own_train_items_only() -> None:
    whole = task("ab" * 30, folds=3)
    drawn = drawing.restrict(whole, subset(8), 0)

    for fold in range(3):
        items = drawn.train_items(fold)
        assert len(items) == 8
        assert all(item.fold != fold for item in items)
    assert len(drawn.items) < 24  # folds share most of their draw


def test_what_is_not_drawn_does_not_reach_the_recipe() -> None:
    drawn = drawing.restrict(task("ab" * 30), subset(8), 0)

    assert len(drawn.items) == 8


def test_all_labels_are_the_task_as_it_is() -> None:
    whole = task("ab" * 5)

    assert drawing.restrict(whole, subset(None), 0) is whole


def test_a_task_that_is_not_restricted_has_the_bytes_of_before() -> None:
    assert b"chosen" not in msgspec.json.encode(task("ab"))


def test_fewer_items_than_labels_are_refused_with_both_numbers() -> None:
    with pytest.raises(Refusal, match=r"^3 labelled items cannot hold one of each of the 4 labels"):
        drawing.restrict(task("abcd" * 5), subset(3), 0)


def test_as_many_items_as_there_are_is_refused_for_all() -> None:
    with pytest.raises(Refusal, match=r"not fewer than the 10 that toy has .* or for 'all'"):
        drawing.restrict(task("ab" * 5), subset(10), 0)


def test_an_entry_with_labels_is_a_cell_a_size_and_draw(tmp_path: Path) -> None:
    found = planned(tmp_path)

    assert [one.cell.variant for one in found] == [
        "int8-2x0", "int8-2x1", "int8-8x0", "int8-8x1", "int8-all",
    ]  # fmt: skip
    assert found[3].subset == Subset(variant="int8", labels=8, draw=1)
    assert {one.variant.parent for one in found} == {None}
    assert not any(one.refusal for one in found)


def test_a_size_below_the_number_of_labels_is_refused_in_the_plan(tmp_path: Path) -> None:
    found = planned(tmp_path, SUITE.replace("[2, 8,", "[1, 8,"))

    said = "1 labelled items cannot hold one of each of the 2 labels of toy; ask for 2 or more"
    assert [one.refusal for one in found] == [said, said, None, None, None]


def test_a_model_that_learns_nothing_has_no_curve(tmp_path: Path) -> None:
    ready = MODEL_CARD.replace('recipe = "majority"', 'recipe = "copy"')

    found = planned(tmp_path, model=ready)

    assert {one.refusal for one in found} == {
        "recipe 'copy' learns nothing from labels: it has no learning curve"
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('labels = [2, 8, "all"]\n', "", r"entries\[0\]\.draws: expected labels beside it"),
        ("draws = 2", "timing = { min_calls = 5 }", "of a learning curve only accuracy"),
        ("draws = 2", "dependability = {}", "of a learning curve only accuracy"),
        ('[2, 8, "all"]', "[0]", r"entries\[0\]\.labels"),
        ('"all"', '"most"', r"entries\[0\]\.labels"),
        ("draws = 2", "draws = 0", r"entries\[0\]\.draws"),
        ("draws = 2", "draws = 101", r"entries\[0\]\.draws"),
    ],
)
def test_what_a_curve_cannot_be_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    with pytest.raises(CardError, match=said):
        planned(tmp_path, SUITE.replace(old, new))


def test_the_shipped_suite_plans_five_draws_of_the_small_sizes_and_three_of_512() -> None:
    found = plan.cells(plan.load_suite(Path("learning-curves")), catalog.load([]), 2)
    count = Counter(
        (one.cell.task, one.cell.model, one.subset.labels) for one in found if one.subset
    )

    for name in ("intent", "sentiment", "routing-r8", "spam"):
        for model in ("tfidf-linear", "minilm-head"):
            assert [count[name, model, n] for n in (8, 32, 128, 512, None)] == [5, 5, 5, 3, 1]
    assert count["language-id", "tfidf-linear", 8] == 0
    assert [one.cell.id for one in found if one.refusal] == []


def test_a_record_keeps_its_subset() -> None:
    kept = record(subset=subset(8, 3))

    read = msgspec.json.decode(msgspec.json.encode(kept), type=Record)

    assert read.subset == subset(8, 3)
    assert b"subset" not in msgspec.json.encode(record())
