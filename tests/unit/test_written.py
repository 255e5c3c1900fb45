from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import written
from steelyard.api import Label
from steelyard.notation import format_numbers, format_spans, parse_spans

TYPES = (Label(id="PERSON", words="name"), Label(id="CITY", words="city"))
TEXT = "Ann Lee met Ann in Lee, then\nsaw New\nYork."


def spans(said: str, text: str = TEXT) -> tuple[tuple[int, int, str], ...] | None:
    return written.read_spans(said, text, TYPES)


def test_words_are_found_where_they_first_stand() -> None:
    assert spans("name: Ann Lee\ncity: Lee") == ((0, 7, "PERSON"), (19, 22, "CITY"))


def test_what_is_taken_is_not_taken_twice() -> None:
    assert spans("name: Ann\nname: Ann\nname: Ann") == ((0, 3, "PERSON"), (12, 15, "PERSON"))


def test_case_and_blanks_do_not_matter() -> None:
    assert spans("City: new  york") == ((33, 41, "CITY"),)
    assert TEXT[33:41] == "New\nYork"


def test_a_type_may_be_named_by_its_id_or_in_a_list_s_dress() -> None:
    assert spans('- **PERSON**: "Ann Lee"') == ((0, 7, "PERSON"),)


def test_words_that_do_not_occur_and_unknown_types_count_as_nothing() -> None:
    assert spans("name: Bob\nzip: 12\ncity: Lee") == ((4, 7, "CITY"),)


@pytest.mark.parametrize("said", ["", "none", "None.", "name: none\ncity: None"])
def test_nothing_found_is_an_answer(said: str) -> None:
    assert spans(said) == ()


@pytest.mark.parametrize("said", ["I see no names here", "zip: 12", "Ann Lee"])
def test_what_is_no_list_of_spans_is_unreadable(said: str) -> None:
    assert spans(said) is None
    assert written.read(said, TEXT, TYPES, "spans") is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("12, 13.5\n-2e1", (12.0, 13.5, -20.0)),
        ("Day 1: 7 8\nDay 2: 9", (7.0, 8.0, 9.0)),
        ("no idea", ()),
        ("1e999 5", (5.0,)),
        ("[1.,.5]", (1.0, 0.5)),
    ],
)
def test_numbers_are_read_in_their_order(said: str, expected: tuple[float, ...]) -> None:
    assert written.read_numbers(said) == expected


def test_a_text_is_its_first_line() -> None:
    assert written.read("\n  the total \nand more", "", (), "text") == "the total"
    assert written.read(" \n ", "", (), "text") is None


def test_numbers_that_are_none_are_unreadable() -> None:
    assert written.read("I cannot say", "", (), "numbers") is None


@pytest.mark.parametrize(("kind", "expected"), [("spans", "[]"), ("numbers", "[]"), ("text", "")])
def test_an_empty_answer_is_in_the_notation(kind: str, expected: str) -> None:
    assert written.empty(kind) == expected  # type: ignore[arg-type]


def test_an_example_is_written_as_it_is_asked_for() -> None:
    expected = format_spans([(0, 7, "PERSON"), (33, 41, "CITY")])

    assert written.write(expected, TEXT, TYPES, "spans") == "name: Ann Lee\ncity: New York"
    assert written.write("[]", TEXT, TYPES, "spans") == "none"
    assert written.write("[1.5,2.0]", "", (), "numbers") == "1.5, 2"
    assert written.write("PERSON", "", TYPES, "label") == "name"
    assert written.write("a total", "", (), "text") == "a total"


WORDS = st.lists(st.from_regex(r"[a-z]{3,8}", fullmatch=True), min_size=1, max_size=8, unique=True)


@given(words=WORDS, data=st.data())
def test_what_is_written_of_spans_is_read_as_the_same_spans(
    words: list[str], data: st.DataObject
) -> None:
    # Numbered, so that no word is part of another.
    marked = [f"{number}{word}{number}" for number, word in enumerate(words)]
    text = " ".join(marked)
    made = []
    for word in marked:
        kind = data.draw(st.sampled_from(["PERSON", "CITY", None]))
        if kind is not None:
            made.append((text.index(word), text.index(word) + len(word), kind))
    expected = format_spans(made)

    said = written.write(expected, text, TYPES, "spans")

    assert written.read(said, text, TYPES, "spans") == expected


@given(st.lists(st.integers(-(10**6) + 1, 10**6 - 1), min_size=1, max_size=20))
def test_what_is_written_of_numbers_is_read_as_the_same_numbers(numbers: list[int]) -> None:
    expected = format_numbers(numbers)

    assert written.read(written.write(expected, "", (), "numbers"), "", (), "numbers") == expected


@given(said=st.text(max_size=80), text=st.text(max_size=80))
def test_whatever_is_written_is_read_as_spans_of_the_text_or_refused(said: str, text: str) -> None:
    answer = written.read(said, text, TYPES, "spans")

    assert answer is None or all(end <= len(text) for _, end, _ in parse_spans(answer))
