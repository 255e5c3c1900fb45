"""How alike two texts are: by hand, and whichever stands first."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("onnxruntime")
from steelyard.backends.ort.pair_features import FEATURES, Rarity, features, halves, words

RARITY = Rarity(words={"red": 1.0, "blue": 2.0}, unseen=3.0)

titles = st.text("abz019 -.,/GBmé", max_size=30)


def named(text: str) -> dict[str, float]:
    return dict(zip(FEATURES, features(text, RARITY).tolist(), strict=True))


def test_a_pair_is_its_first_line_and_the_rest() -> None:
    assert halves("a\nb\nc") == ("a", "b\nc")
    assert halves("a") == ("a", "")


def test_a_number_and_its_unit_are_two_words() -> None:
    assert words("SSD 16GB, 3.8 GHz (1,000)") == ["ssd", "16", "gb", "3.8", "ghz", "1,000"]


def test_words_are_compared_by_rarity() -> None:
    found = named("red blue\nred green")

    assert found["words: Jaccard"] == pytest.approx(1 / 3)
    assert found["words: cosine by rarity"] == pytest.approx(1 / math.sqrt(5 * 10))
    assert found["words: rarity left over, less"] == 2.0
    assert found["words: rarest left over, more"] == 3.0
    assert found["words: first is the same"] == 1.0


def test_codes_numbers_and_quantities_are_told_apart() -> None:
    found = named("Zebra 800033-801, 16 GB 1,000\nZebra 800033, 32GB 1000")

    assert found["codes: near ones"] == 1.0
    assert found["codes: shared"] == 0.0
    assert found["numbers: shared"] == 2.0
    assert found["quantities: contradicted"] == 1.0
    assert found["quantities: shared"] == 0.0


def test_equal_texts_are_as_alike_as_can_be() -> None:
    found = named("Canon MG3650 red\nCanon MG3650 red")

    assert found["words: Jaccard"] == 1.0
    assert found["characters: cosine of trigrams"] == pytest.approx(1.0)
    assert found["words: rarity left over, more"] == 0.0
    assert found["codes: left over, more"] == 0.0


@given(titles, titles)
def test_the_order_of_a_pair_does_not_matter(one: str, two: str) -> None:
    forth, back = features(f"{one}\n{two}", RARITY), features(f"{two}\n{one}", RARITY)

    assert np.isfinite(forth).all()
    assert forth.tolist() == pytest.approx(back.tolist(), abs=1e-6)
