"""Data sets: checks, folds, samples and what a prompt may be chosen on."""

from __future__ import annotations

import io
import tarfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.api import Item, Label
from steelyard.card import Option, Split, TaskCard
from steelyard.errors import PrepareError
from steelyard.prepare import data
from steelyard.prepare.folds import assign_folds, grouped_folds, stratified_folds

patient = settings(deadline=None, max_examples=40)
FOLDS = {"kind": "folds", "folds": 3}


# No arrays are written where the items are texts.
NOWHERE = Path("nowhere")


class Fixed:
    """A reader that returns what it was given and remembers what it saw."""

    def __init__(self, *items: Item) -> None:
        self.items = list(items)
        self.seen: dict[str, list[str]] = {}

    def read(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> list[Item]:
        for name, path in paths.items():
            files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
            self.seen[name] = sorted(file.name for file in files)
        return self.items


def card(split: Mapping[str, object], **file: object) -> TaskCard:
    """Return a card with two labels and one file."""
    declared: dict[str, Any] = {
        "schema": 1, "id": "mine", "version": 1, "title": "t", "domain": "back-office",
        "modality": "text", "reader": {"name": "fixed"}, "split": split,
        "files": [
            {
                "name": "mine.csv", "sha256": "0" * 64, "licence": "mine",
                "sources": [{"kind": "file", "path": "mine.csv"}], **file,
            }
        ],
        "labels": [{"id": "a", "words": "a"}, {"id": "b", "words": "b"}],
        "scorer": {"name": "classification"}, "metric": "accuracy", "licence": "mine",
        "contamination": "none", "expectation": "open", "expectation_reason": "none",
        "prompt": {"paraphrases": ["{labels} {text}", "{labels}: {text}"], "max_chars": 9},
    }  # fmt: skip
    return msgspec.convert(declared, TaskCard)


def item(name: str, label: str = "a", text: str | None = None, **rest: Any) -> Item:
    return Item(id=name, text=text or f"text of {name}", label=label, **rest)


def items(n: int) -> list[Item]:
    """Return items of which two in three are `a`."""
    return [item(f"i{number}", "b" if number % 3 == 0 else "a") for number in range(n)]


def made(split: Mapping[str, object], *read: Item, path: Path = Path("mine.csv")) -> data.Dataset:
    return data.dataset(card(split), {"mine.csv": path}, Fixed(*read), NOWHERE)


def refusal(split: Mapping[str, object], *read: Item) -> str:
    with pytest.raises(PrepareError) as raised:
        made(split, *read)
    return str(raised.value)


def test_an_official_split_stays_as_the_reader_set_it() -> None:
    found = made({"kind": "official"}, item("x"), item("y", "b", fold=0))

    assert [i.fold for i in found.items] == [None, 0]
    assert found.folds == 1


def test_folds_are_assigned_where_the_card_asks_for_them() -> None:
    found = made(FOLDS, *items(9))

    assert Counter(i.fold for i in found.items) == {0: 3, 1: 3, 2: 3}
    assert found.folds == 3


def test_another_seed_gives_another_hash() -> None:
    assert made(FOLDS, *items(30)).sha256 != made({**FOLDS, "seed": 1}, *items(30)).sha256


@pytest.mark.parametrize(
    ("read", "said"),
    [
        ((item("x", "c"),), "item x: unknown label 'c'"),
        ((item("x", text="  "),), "item x: its text is empty"),
        ((item("x"), item("x", "b", "t")), "1 ids occur twice, e.g. x"),
        ((item("x", text="t"), item("y", text="t"), item("z", text="t")), "repeat a text of"),
    ],
)
def test_items_that_are_not_as_the_card_says_are_refused(read: tuple[Item, ...], said: str) -> None:
    assert said in refusal(FOLDS, *read)


def test_an_official_split_without_a_test_part_is_refused_with_the_remedy() -> None:
    said = refusal({"kind": "official"}, item("x"), item("y"))

    assert "the reader gave no test part; set train and test" in said


def test_repeated_texts_of_an_official_split_are_counted_and_kept() -> None:
    found = made({"kind": "official"}, item("x", text="t"), item("y", text="t", fold=0))

    assert found.notes == (
        "1 items repeat a text of another part, e.g. y; kept, as the data set's own split has them",
    )
    assert len(found.items) == 2


def test_what_the_reader_refuses_is_said_with_the_task() -> None:
    class Refusing(Fixed):
        def read(
            self,
            paths: Mapping[str, Path],
            options: Mapping[str, Option],
            labels: Sequence[Label],
        ) -> list[Item]:
            raise PrepareError("mine.csv:3: no")

    with pytest.raises(PrepareError, match=r"task mine: mine\.csv:3: no"):
        data.dataset(card(FOLDS), {"mine.csv": Path("mine.csv")}, Refusing(), NOWHERE)


def test_a_file_that_was_not_fetched_is_named() -> None:
    with pytest.raises(PrepareError, match=r"file 'mine\.csv' was not fetched"):
        data.dataset(card(FOLDS), {}, Fixed(), NOWHERE)


def test_the_reader_of_an_archive_sees_the_extracted_members_only(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as archive:
        for name in ("in/one.txt", "in/two.bin", "out/three.txt"):
            member = tarfile.TarInfo(name)
            member.size = 1
            archive.addfile(member, io.BytesIO(b"x"))
    reader = Fixed(*items(9))

    paths = {"mine.csv": tmp_path / "a.tgz"}

    data.dataset(card(FOLDS, extract=["in/*.txt"]), paths, reader, NOWHERE)

    assert reader.seen == {"mine.csv": ["one.txt"]}


def test_a_training_set_holds_the_labels_and_the_folds() -> None:
    found = made(FOLDS, *items(9))

    training = data.training_set(card(FOLDS), found)

    assert (training.task, training.folds, len(training.labels)) == ("mine", 3, 2)
    assert len(training.train_items(0)) == 6


def test_prompts_are_chosen_on_train_items_where_there_are_any() -> None:
    found = made({"kind": "official"}, item("x"), item("y", fold=0), item("z"))

    assert [i.id for i in data.prompt_pool(found)] == ["x", "z"]
    assert [i.id for i in data.test_items(found)] == ["y"]
    assert [i.id for i in data.prompted_test_items(found)] == ["y"]


def test_prompts_are_chosen_on_the_last_fold_and_not_tested_on_it() -> None:
    found = made(FOLDS, *items(9))

    assert {i.fold for i in data.prompt_pool(found)} == {2}
    assert len(data.test_items(found)) == 9
    assert {i.fold for i in data.prompted_test_items(found)} == {0, 1}


labelled = st.lists(st.sampled_from("aaab"), min_size=1, max_size=80).map(
    lambda labels: [item(f"i{number}", label) for number, label in enumerate(labels)]
)


@patient
@given(labelled, st.integers(2, 6), st.integers(0, 3))
def test_stratified_folds_are_even_in_size_and_in_every_label(
    read: list[Item], folds: int, seed: int
) -> None:
    found = stratified_folds(read, folds, seed)

    for label in ("a", "b", "ab"):
        sizes = Counter(found[i.id] for i in read if i.label in label)
        counts = [sizes[fold] for fold in range(folds)]
        assert max(counts) - min(counts) <= 1


@patient
@given(labelled, st.randoms(use_true_random=False))
def test_folds_do_not_depend_on_the_order_of_the_items(read: list[Item], random: Any) -> None:
    shuffled = random.sample(read, len(read))

    assert stratified_folds(read, 3, 0) == stratified_folds(shuffled, 3, 0)


@patient
@given(st.lists(st.integers(1, 9), min_size=4, max_size=30), st.integers(2, 4))
def test_a_group_stays_whole_and_folds_stay_even(sizes: list[int], folds: int) -> None:
    read = [
        item(f"{group}-{number}", group=str(group))
        for group, size in enumerate(sizes)
        for number in range(size)
    ]

    found = grouped_folds(read, folds, 0)

    assert all(
        len({found[i.id] for i in read if i.group == g}) == 1 for g in {i.group for i in read}
    )
    held = [list(found.values()).count(fold) for fold in range(folds)]
    assert max(held) - min(held) <= max(sizes)


def test_groups_are_needed_where_folds_go_by_group() -> None:
    split = Split(kind="folds", folds=2, by_group=True)

    with pytest.raises(PrepareError, match="item x: no group, but"):
        assign_folds([item("x")], split)
    with pytest.raises(PrepareError, match="2 folds of only 1 groups"):
        assign_folds([item("x", group="g")], split)


def test_folds_without_a_number_are_refused() -> None:
    with pytest.raises(PrepareError, match=r"split\.folds: missing"):
        assign_folds([item("x")], Split(kind="folds"))


@patient
@given(labelled, st.integers(1, 90), st.integers(1, 90), st.booleans())
def test_a_smaller_sample_is_part_of_a_larger_one(
    read: list[Item], one: int, other: int, balanced: bool
) -> None:
    small = data.sample(read, min(one, other), 7, balanced=balanced)
    large = data.sample(read, max(one, other), 7, balanced=balanced)

    assert {i.id for i in small} <= {i.id for i in large}
    assert len(small) == min(one, other, len(read))
    assert list(small) == [i for i in read if i in small]


@patient
@given(labelled, st.integers(2, 90))
def test_a_sample_holds_every_label_in_proportion(read: list[Item], n: int) -> None:
    taken = Counter(i.label for i in data.sample(read, n, 0))
    whole = Counter(i.label for i in read)

    for label, count in whole.items():
        assert taken[label] >= 1
        assert abs(taken[label] - min(n, len(read)) * count / len(read)) <= 1.5


def test_a_balanced_sample_holds_labels_equally_until_the_rare_ones_end() -> None:
    read = [item(f"a{n}") for n in range(20)] + [item(f"b{n}", "b") for n in range(3)]

    assert Counter(i.label for i in data.sample(read, 6, 0, balanced=True)) == {"a": 3, "b": 3}
    assert Counter(i.label for i in data.sample(read, 10, 0, balanced=True)) == {"a": 7, "b": 3}


def test_another_seed_takes_other_items() -> None:
    read = items(60)

    assert data.sample(read, 20, 0) != data.sample(read, 20, 1)


def test_a_sample_of_nothing_is_refused() -> None:
    with pytest.raises(PrepareError, match="a sample of 0 items"):
        data.sample(items(3), 0, 0)
