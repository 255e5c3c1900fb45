"""Spans and numbers as strings: equal answers are equal strings, others are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.notation import (
    NO_SPANS,
    NotationError,
    format_numbers,
    format_spans,
    parse_numbers,
    parse_spans,
)

SPANS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 9), st.sampled_from("AB")).map(
        lambda drawn: (drawn[0], drawn[0] + drawn[1], drawn[2])
    )
)


@given(SPANS)
def test_spans_come_back_sorted_and_once_each(spans: list[tuple[int, int, str]]) -> None:
    written = format_spans(spans)

    assert parse_spans(written) == tuple(sorted(set(spans)))
    assert format_spans(reversed(parse_spans(written))) == written


def test_no_spans_are_an_empty_list() -> None:
    assert format_spans([]) == NO_SPANS
    assert parse_spans(NO_SPANS) == ()


@pytest.mark.parametrize(
    "text", ["", "x", "{}", "[[1]]", '[[2,2,"A"]]', '[[3,2,"A"]]', '[[-1,2,"A"]]', "[[1,2,3]]"]
)
def test_what_is_no_list_of_spans_is_refused(text: str) -> None:
    with pytest.raises(NotationError):
        parse_spans(text)


@given(st.lists(st.floats(-1e9, 1e9)))
def test_numbers_keep_six_digits(numbers: list[float]) -> None:
    written = format_numbers(numbers)

    assert parse_numbers(written) == pytest.approx(numbers, rel=1e-5)
    assert format_numbers(parse_numbers(written)) == written


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused(number: float) -> None:
    with pytest.raises(NotationError):
        format_numbers([1, number])


@pytest.mark.parametrize("text", ["", "x", "{}", '["1"]', "[null]"])
def test_what_is_no_list_of_numbers_is_refused(text: str) -> None:
    with pytest.raises(NotationError):
        parse_numbers(text)
