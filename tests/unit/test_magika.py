"""Magika's features and the labels that its content types add up to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("onnxruntime")
from steelyard.backends.ort import magika
from steelyard.errors import WorkerError

CONFIG = magika.Config(
    beg_size=4,
    mid_size=0,
    end_size=3,
    block_size=8,
    padding_token=256,
    use_inputs_at_offsets=False,
    target_labels_space=("cs", "csproj", "python", "xml"),
)


def test_blanks_are_stripped_and_both_ends_are_filled_up() -> None:
    assert magika.tokens(b"  ab ", CONFIG).tolist() == [97, 98, 32, 256, 32, 97, 98]
    assert magika.tokens(b"x", CONFIG).tolist() == [120, 256, 256, 256, 256, 256, 120]


def test_only_a_block_is_read_from_each_end() -> None:
    data = b" " * 8 + b"abcdefgh" + b"\n" * 8

    assert magika.tokens(data, CONFIG).tolist() == [256] * 7


@given(st.binary(min_size=1, max_size=30))
def test_the_tokens_are_bytes_of_the_ends(data: bytes) -> None:
    found = magika.tokens(data, CONFIG).tolist()

    begin, end = data[:8].lstrip()[:4], data[-8:].rstrip()[-3:]
    assert bytes(one for one in found[:4] if one < 256) == begin
    assert bytes(one for one in found[4:] if one < 256) == end


def test_a_label_s_probability_is_the_sum_of_its_types() -> None:
    sums = magika._sums(
        CONFIG.target_labels_space, ("csharp", "xml"), {"cs": "csharp", "csproj": "xml"}
    )

    assert sums.tolist() == [[1, 0], [0, 1], [0, 0], [0, 1]]


def test_a_map_of_no_content_type_is_refused() -> None:
    with pytest.raises(WorkerError, match="label_map: c# is no content type"):
        magika._sums(CONFIG.target_labels_space, ("xml",), {"c#": "xml"})
