"""What a card may say of fine-tuning: how long, how fast, in which batches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.recipes.encoder_finetune_settings import (
    DEFAULTS,
    batches,
    planned_epochs,
    rate_at,
    settings_of,
)


def test_what_a_card_says_stands_over_the_defaults() -> None:
    found = settings_of({"epochs": 3, "rate": 2e-5, "pairs": True})

    assert found == replace(DEFAULTS, epochs=3, rate=2e-5, pairs=True)


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("epochs", 0, "options.epochs: expected at least 1, got 0"),
        ("held_out", 1, "options.held_out: expected at least 2, got 1"),
        ("pairs", 1, "options.pairs: expected bool"),
        ("rate", "fast", "options.rate: expected float"),
    ],
)
def test_a_senseless_option_is_refused_with_its_name(
    option: str, value: Option, reason: str
) -> None:
    with pytest.raises(PrepareError, match=reason):
        settings_of({option: value})


@pytest.mark.parametrize(
    ("tokens", "rounds"),
    # 8 rounds at most; 100,000 tokens pay for 100,000 // tokens; never fewer than 2.
    [(7_000, 8), (12_500, 8), (20_000, 5), (40_000, 2), (90_000, 2), (0, 8)],
)
def test_long_texts_get_fewer_rounds_but_never_fewer_than_two(tokens: int, rounds: int) -> None:
    assert planned_epochs(tokens, replace(DEFAULTS, epochs=8, tokens=100_000)) == rounds


def test_one_round_stays_one() -> None:
    assert planned_epochs(10, replace(DEFAULTS, epochs=1)) == 1


def test_the_rate_rises_for_a_tenth_and_falls_to_nothing() -> None:
    # 20 steps: two to rise, then (20 - step) / 18.
    assert [rate_at(step, 20) for step in (0, 1, 2, 11, 19, 20)] == [0.5, 1.0, 1.0, 0.5, 1 / 18, 0]


@given(st.lists(st.integers(1, 128), min_size=1, max_size=400), st.integers(1, 40))
def test_batches_hold_every_item_once(lengths: list[int], size: int) -> None:
    cut = batches(lengths, list(range(len(lengths))), size)

    assert sorted(place for one in cut for place in one) == list(range(len(lengths)))
    assert max(len(one) for one in cut) <= size


def test_texts_of_like_length_share_a_batch() -> None:
    assert batches([1, 9, 2, 8], [0, 1, 2, 3], 2) == [[1, 3], [2, 0]]
