"""Packed values: exact both ways, small, and safe to read from strangers."""

from __future__ import annotations

import base64
import zlib

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard import stats
from steelyard.errors import PackingError

WHOLE = st.integers(-(2**63), 2**63 - 1)
FORM = "{kind}.{count}.{width}.{base}.{body}"


def form(body: bytes, kind: str = "p", count: int = 1, width: int = 1, base: int = 0) -> str:
    text = base64.b64encode(zlib.compress(body)).decode()
    return FORM.format(kind=kind, count=count, width=width, base=base, body=text)


@settings(deadline=None, max_examples=100)
@given(st.lists(WHOLE) | st.lists(st.integers(0, 10**7)))
def test_values_come_back_as_they_went(values: list[int]) -> None:
    assert stats.unpack(stats.pack(values)) == tuple(values)


@pytest.mark.parametrize("values", [[], [0], [5] * 1000, [-(2**63), 2**63 - 1] * 2, [-1, 0, 1]])
def test_the_ends_of_the_range_come_back(values: list[int]) -> None:
    assert stats.unpack(stats.pack(values)) == tuple(values)


def test_the_form_is_the_one_documented() -> None:
    # 300 and 301 less 300 are one byte each: 0 and 1.
    assert stats.unpack(form(b"\x00\x01", count=2, base=300)) == (300, 301)
    # Differences: 300, then 1 more, then 1 more.
    assert stats.unpack(form(b"\x2b\x00\x00\x01\x00\x00", "d", 3, 2, 1)) == (300, 301, 302)


def test_latencies_take_about_half_of_their_json() -> None:
    draws = np.random.default_rng(1).lognormal(13, 0.4, 2000)
    values = [int(draw) for draw in draws]

    assert len(stats.pack(values)) < 0.55 * len(msgspec.json.encode(values))


def test_time_stamps_are_packed_as_differences() -> None:
    stamps = np.cumsum(np.random.default_rng(1).integers(1000, 1200, 5000)).tolist()

    packed = stats.pack(stamps)

    assert packed.startswith("d.5000.")
    assert len(packed) < 2 * len(stamps)


@pytest.mark.parametrize(
    "values", [[0.5], [2**63], [-(2**63) - 1], [2**70], [True, False], [None], ["1"]]
)
def test_what_is_no_64_bit_integer_is_refused(values: list[int]) -> None:
    with pytest.raises(PackingError, match=r"2\*\*63"):
        stats.pack(values)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "p.1.1.0",
        "x.1.1.0.AAAA",
        "p.1.9.0.AAAA",
        "p.-1.1.0.AAAA",
        "p.1.1.0.AAAA",
        "p.1.1.0.A",
        "p.\u0661.1.0.AAAA",
        form(b"\x00", count=2),
        form(b"\x00\x00", count=1),
        form(b"\x00", base=2**63),
        form(b"", count=99_999_999),
        form(b"\x00") + "AAAA",
        form(b"\x00\x01", count=2)[:-4],
    ],
)
def test_a_damaged_text_is_a_named_error(text: str) -> None:
    with pytest.raises(PackingError):
        stats.unpack(text)


def test_a_bomb_is_not_inflated() -> None:
    bomb = form(bytes(5_000_000), count=10)

    with pytest.raises(PackingError, match="not 10 bytes"):
        stats.unpack(bomb)


@settings(deadline=None, max_examples=100)
@given(
    st.text(max_size=40)
    | st.builds(
        form,
        st.binary(max_size=40),
        st.sampled_from("pd"),
        st.integers(0, 50),
        st.integers(0, 8),
        st.integers(-(2**63), 2**63 - 1),
    )
)
def test_any_text_gives_values_or_the_named_error(text: str) -> None:
    try:
        values = stats.unpack(text)
    except PackingError:
        return
    assert stats.unpack(stats.pack(values)) == values
