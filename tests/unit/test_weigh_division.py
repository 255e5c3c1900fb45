"""How rows are divided, and what is said of them beforehand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.api import Item
from steelyard.errors import SteelyardError
from steelyard.weigh import division, hints
from steelyard.weigh.division import divide
from steelyard.weigh.intake import Kept
from steelyard.weigh.times import Moment


def rows(
    n: int,
    labels: int = 2,
    groups: int | None = None,
    times: Sequence[float] | None = None,
) -> list[Kept]:
    return [
        Kept(
            line=i + 2,
            text=f"text {i}",
            label=f"l{i % labels}",
            group=None if groups is None else f"g{i // 2 % groups}",
            moment=None if times is None else Moment(dated=True, value=times[i]),
        )
        for i in range(n)
    ]


def test_few_rows_are_each_tested_once() -> None:
    found = divide(rows(100), 0, "x")

    assert (found.split.kind, found.split.folds, found.tested) == ("folds", 5, 100)
    assert Counter((item.fold, item.label) for item in found.items) == {
        (fold, label): 10 for fold in range(5) for label in ("l0", "l1")
    }
    assert found.rows_per_test_item == 1


def test_of_many_rows_a_fifth_is_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(division, "MOST_FOLDED", 99)

    found = divide(rows(100), 0, "x")

    assert (found.split.kind, found.tested) == ("official", 20)
    assert Counter(item.label for item in found.items if item.fold == 0) == {"l0": 10, "l1": 10}
    assert found.rows_per_test_item == 5


@pytest.mark.parametrize("most", [10, 1000])
def test_a_group_is_never_on_both_sides(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(division, "MOST_FOLDED", most)

    found = divide(rows(120, groups=12), 0, "x")

    where: dict[str | None, set[int | None]] = {}
    for item in found.items:
        where.setdefault(item.group, set()).add(item.fold)
    assert all(len(folds) == 1 for folds in where.values())
    assert 0 < found.tested <= 120


def test_fewer_groups_than_folds_make_fewer_folds_and_one_is_refused() -> None:
    assert divide(rows(40, groups=3), 0, "x").split.folds == 3
    with pytest.raises(SteelyardError, match="all rows are of one group"):
        divide(rows(40, groups=1), 0, "x")


def test_by_time_every_test_row_is_later_than_every_train_row() -> None:
    times = [float(i * 7919 % 100) for i in range(100)]  # 7919 and 100 share no factor: all differ

    found = divide(rows(100, times=times), 0, "x")

    when = dict(zip((item.id for item in found.items), times, strict=True))
    train = [when[item.id] for item in found.items if item.fold is None]
    test = [when[item.id] for item in found.items if item.fold == 0]
    assert (len(train), len(test)) == (80, 20)
    assert max(train) < min(test)


@given(st.lists(st.integers(0, 6), min_size=10, max_size=60))
def test_rows_of_one_moment_stay_on_one_side(times: list[int]) -> None:
    made = rows(len(times), times=[float(t) for t in times])
    if len(set(times)) == 1:
        with pytest.raises(SteelyardError, match="all rows have one time"):
            divide(made, 0, "x")
        return
    try:
        found = divide(made, 0, "x")
    except SteelyardError as error:
        assert "fewer than two labels" in str(error)  # noqa: PT017 - only some lists do that
        return
    sides = [item.fold for item in found.items]
    earlier = {t for t, side in zip(times, sides, strict=True) if side is None}
    later = {t for t, side in zip(times, sides, strict=True) if side == 0}
    assert earlier
    assert later
    assert max(earlier) < min(later)


def test_dates_and_numbers_in_one_column_of_times_are_refused() -> None:
    mixed = [*rows(10, times=[float(i) for i in range(10)])]
    mixed.append(Kept(line=99, text="z", label="l0", moment=Moment(dated=False, value=3.0)))

    with pytest.raises(SteelyardError, match="mixes dates and numbers"):
        divide(mixed, 0, "x")


def test_a_split_that_leaves_one_label_to_learn_is_refused() -> None:
    made = [
        Kept(
            line=i,
            text=f"t{i}",
            label="early" if i < 90 else "late",
            moment=Moment(dated=True, value=float(i)),
        )
        for i in range(100)
    ]

    with pytest.raises(SteelyardError, match="fewer than two labels"):
        divide(made, 0, "x")


def items(*pairs: tuple[str, str]) -> list[Item]:
    return [Item(id=str(i), text=text, label=label) for i, (text, label) in enumerate(pairs)]


def test_labels_written_into_the_texts_are_noticed() -> None:
    made = items(*[(f"Team: Billing. Case {i}", "billing") for i in range(20)],
                 *[(f"Team: Access. Case {i}", "access") for i in range(20)])  # fmt: skip

    assert hints.leakage(made) is not None
    assert "100% of the texts hold their own label" in str(hints.leakage(made))


def test_a_label_that_all_texts_hold_or_that_is_a_part_of_a_word_is_none() -> None:
    everywhere = items(*[(f"a or b, case {i}", "ab"[i % 2]) for i in range(40)])
    within = items(*[(f"billings {i}", "billing") for i in range(20)],
                   *[(f"accessory {i}", "access") for i in range(20)])  # fmt: skip

    assert hints.leakage(everywhere) is None
    assert hints.leakage(within) is None


def test_numbers_as_labels_rare_labels_and_new_labels_are_told() -> None:
    made = [
        Kept(line=i, text=f"t{i}", label=str(i % 2), moment=Moment(dated=True, value=float(i)))
        for i in range(98)
    ]
    made += [
        Kept(line=i, text=f"t{i}", label="7", moment=Moment(dated=True, value=float(i)))
        for i in (98, 99)
    ]

    told = list(hints.of_division(divide(made, 0, "x")))

    assert told == [
        "fewer than 5 rows for label 7: their scores are a matter of luck",
        "the labels are numbers: taken as names, so that 1 is as far from 2 as from 9",
        "2 of 20 test rows carry a label that no earlier row has",
    ]


def test_hundreds_of_labels_are_told() -> None:
    told = list(hints.of_division(divide(rows(1000, labels=100), 0, "x")))

    assert told == ["100 labels: a generalist is told them all in every prompt, and takes its time"]
