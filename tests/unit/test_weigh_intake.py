"""Rows that are kept, and rows that are counted instead."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.errors import SteelyardError
from steelyard.weigh import hints
from steelyard.weigh.intake import Intake, Rules, take
from steelyard.weigh.rows import Cells, Raw, Unreadable
from steelyard.weigh.times import Moment, moment


def cells(*pairs: tuple[str | None, str | None]) -> list[Raw]:
    return [Cells(line=n, text=text, label=label) for n, (text, label) in enumerate(pairs, 2)]


def many(n: int = 40, labels: int = 2) -> list[Raw]:
    return cells(*((f"text {i}", f"label {i % labels}") for i in range(n)))


def taken(rows: list[Raw], **rules: float) -> Intake:
    return take(rows, "data.csv", Rules(**rules))  # type: ignore[arg-type]


def test_rows_without_text_or_label_are_left_out_and_counted_by_reason() -> None:
    rows = [*many(), *cells((None, "a"), ("  ", "a"), ("x", ""), ("y", None))]

    found = taken(rows, max_bad=0.2)

    assert (found.read, len(found.rows)) == (44, 40)
    assert [(one.reason, one.lines, one.first) for one in found.bad] == [
        ("without a text", 2, 2),
        ("without a label", 2, 4),
    ]


def test_more_bad_rows_than_the_stated_share_refuse_the_file() -> None:
    rows = [*many(95), *cells(*[("x", None)] * 5)]

    assert len(taken(rows, max_bad=0.05).rows) == 95
    with pytest.raises(SteelyardError, match=r"5 of 100 rows are unusable, more than 4%"):
        taken(rows, max_bad=0.04)


def test_lines_that_an_open_quote_swallowed_all_count_as_bad() -> None:
    rows = [*many(), Unreadable(line=7, reason="quotes are broken", lines=60)]

    with pytest.raises(SteelyardError, match="60 of 100 rows are unusable"):
        taken(rows)


@pytest.mark.parametrize(
    ("text", "label", "reason"),
    [
        ("x" * 100_001, "a", "with a text over 100,000 characters"),
        ("x", "a" * 201, "with a label over 200 characters"),
        ("x", "a\x1b[31m", "with control characters in the label"),
        ("x", "a\x7fb", "with control characters in the label"),
        ("\ud800", "a", "with half a character (a lone surrogate)"),
    ],
)
def test_a_hostile_cell_is_left_out(text: str, label: str, reason: str) -> None:
    found = taken([*many(), *cells((text, label))])

    assert [one.reason for one in found.bad] == [reason]


def test_a_label_s_spaces_do_not_make_another_label() -> None:
    found = taken([*many(20), *cells(("x", " label  0\n"), ("y", "label\t1"))])

    assert found.labels == {"label 0": 11, "label 1": 11}


def test_a_text_that_stands_twice_is_kept_once_and_its_other_labels_are_counted() -> None:
    rows = [*many(), *cells(("text 0", "label 0"), (" text\n0 ", "label 1"), ("text 1", "label 1"))]

    found = taken(rows)

    assert (found.repeats, found.conflicts, len(found.rows)) == (3, 1, 40)
    assert found.rows[0].label == "label 0"


def test_of_repeats_the_earliest_in_time_is_kept() -> None:
    rows: list[Raw] = [
        Cells(line=n, text=f"text {n % 20}", label=f"l{n % 2}", time=str(100 - n))
        for n in range(40)
    ]

    found = taken(rows)

    assert {row.line for row in found.rows} == set(range(20, 40))


def test_one_label_is_nothing_to_tell_apart() -> None:
    with pytest.raises(SteelyardError, match=r"data\.csv: all rows have one label, 'label 0'"):
        taken(many(labels=1))


def test_a_label_of_one_row_is_left_out_and_named() -> None:
    found = taken([*many(), *cells(("x", "rare"))])

    assert found.lonely == ("rare",)
    assert "rare" not in found.labels


def test_labels_of_one_row_each_are_refused() -> None:
    with pytest.raises(SteelyardError, match="fewer than two have more than one row"):
        taken(many(30, labels=30))


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(SteelyardError, match="8 usable rows; 10 are the fewest"):
        taken(many(8))


def test_a_header_without_rows_is_refused() -> None:
    with pytest.raises(SteelyardError, match="a header and no rows"):
        taken([])


def test_hundreds_of_labels_are_taken_and_a_thousand_and_one_refused() -> None:
    assert len(taken(many(2000, labels=900)).labels) == 900
    with pytest.raises(SteelyardError, match="more than 1000 different labels"):
        taken(many(2000, labels=1001))


def stream(n: int) -> Iterator[Raw]:
    for i in range(n):
        yield Cells(line=i, text=f"message {i} " + "word " * 20, label=f"label {i % 3}")


def test_of_more_rows_than_the_cap_a_sample_is_kept_in_bounded_memory() -> None:
    tracemalloc.start()
    try:
        found = take(stream(10_000), "x", Rules(cap=200))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (len(found.rows), found.read, found.sampled) == (200, 10_000, 9_800)
    # 10,000 such texts are 1.5 MB.
    assert peak < 400_000


def test_the_sample_spreads_over_the_file_and_the_labels() -> None:
    found = take(stream(30_000), "x", Rules(cap=3000))

    # Binomial: 1,000 a label +- 4 standard deviations of 26; the mean line 15,000 +- 4 x 158.
    assert all(896 < n < 1104 for n in found.labels.values())
    assert abs(sum(row.line for row in found.rows) / 3000 - 15_000) < 632


@given(st.permutations(range(30)), st.integers(0, 3))
def test_the_sample_depends_on_the_seed_and_not_on_the_order(order: list[int], seed: int) -> None:
    rows = many(30)
    rules = Rules(cap=12, seed=seed)

    shuffled = take([rows[i] for i in order], "x", rules)

    assert shuffled.rows == take(rows, "x", rules).rows


def test_another_seed_draws_another_sample() -> None:
    first, second = (take(stream(1000), "x", Rules(cap=50, seed=seed)).rows for seed in (0, 1))

    assert first != second


def test_the_cap_draws_distinct_texts() -> None:
    rows = [*many(200), *many(200), *many(200)]

    found = taken(rows, cap=50)

    assert len({row.text for row in found.rows}) == len(found.rows) == 50
    assert found.repeats + found.sampled == 550


def test_what_was_left_out_is_told_without_a_word_of_the_texts() -> None:
    rows = [*many(), *cells(("text 0", "label 1"), ("secret", None), ("private", "rare\u202e"))]

    told = list(hints.of_intake(taken(rows, max_bad=0.5)))

    assert told == [
        "left out 1 of 43 rows: 1 without a label (first in line 3)",
        (
            "left out 1 rows that repeat a text, 1 of them under another label: "
            "each text is either learned or tested"
        ),
        r"left out label rare\u202e: one row each, which can be learned or tested, not both",
    ]


@pytest.mark.parametrize(
    ("said", "when"),
    [
        ("1970-01-02", Moment(dated=True, value=86400.0)),
        ("1970-01-01T00:00:01Z", Moment(dated=True, value=1.0)),
        ("1970-01-01T02:00:00+02:00", Moment(dated=True, value=0.0)),
        (" 17.5 ", Moment(dated=False, value=17.5)),
        ("12/01/2024", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        ("yesterday", None),
    ],
)
def test_a_time_is_iso_8601_or_a_number(said: str, when: Moment | None) -> None:
    assert moment(said) == when


@given(st.text())
def test_any_cell_is_a_moment_or_none(said: str) -> None:
    assert moment(said) is None or moment(said) == moment(said)


def test_times_and_groups_that_are_missing_leave_the_row_out() -> None:
    rows: list[Raw] = [
        *many(),
        Cells(line=90, text="x", label="label 0", time="someday"),
        Cells(line=91, text="y", label="label 0", group=" "),
    ]

    assert [one.reason for one in taken(rows).bad] == [
        "with a time that is neither ISO 8601 nor a number",
        "without a group",
    ]
