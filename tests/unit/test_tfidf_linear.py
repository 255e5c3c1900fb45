"""The n-gram analysers, the features a card may name, and how train items are divided."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard.api import Item
from steelyard.backends.ort.linear import Family, Weigher, word_grams
from steelyard.errors import PrepareError
from steelyard.recipes import sampling
from steelyard.recipes.tfidf_features import Ngrams, parse_features


def family(analyser: str, shortest: int, longest: int, *, sublinear: bool = False) -> Family:
    return Family(
        analyser="word" if analyser == "word" else "char_wb",
        shortest=shortest,
        longest=longest,
        sublinear=sublinear,
        vocabulary="",
        idf="",
    )


def items(labels: str, group: str | None = None) -> list[Item]:
    return [
        Item(id=f"i{number}", text="", label=label, group=group[number] if group else None)
        for number, label in enumerate(labels)
    ]


def test_character_ngrams_stay_within_the_padded_word() -> None:
    assert word_grams("ab", range(2, 4)) == [" a", "ab", "b ", " ab", "ab "]


def test_a_word_shorter_than_every_ngram_counts_once() -> None:
    assert word_grams("a", range(4, 6)) == [" a "]


def test_a_word_as_long_as_an_ngram_is_not_counted_again_for_longer_ones() -> None:
    assert word_grams("a", range(3, 6)) == [" a "]


def test_weights_are_term_frequency_times_idf_at_unit_norm() -> None:
    weigher = Weigher(family("word", 1, 2), ["cat", "cat sat"], np.array([3, 4], np.float32))

    ids, weights = weigher.weigh("cat sat, I say")

    assert dict(zip(ids.tolist(), weights.tolist(), strict=True)) == pytest.approx({0: 0.6, 1: 0.8})


def test_sublinear_frequencies_are_one_plus_the_logarithm() -> None:
    idf = np.ones(2, np.float32)
    weigher = Weigher(family("word", 1, 1, sublinear=True), ["aa", "bb"], idf)

    _, weights = weigher.weigh("aa aa aa bb")

    assert weights[0] / weights[1] == pytest.approx(1 + np.log(3))


def test_a_text_without_a_known_ngram_has_no_weights() -> None:
    weigher = Weigher(family("char", 1, 3), ["zzz"], np.ones(1, np.float32))

    ids, weights = weigher.weigh("")

    assert ids.size == weights.size == 0


def test_repeated_words_count_each_time() -> None:
    weigher = Weigher(family("char", 1, 1), ["a", "b"], np.ones(2, np.float32))

    ids, weights = weigher.weigh("a a a b")

    found = dict(zip(ids.tolist(), weights.tolist(), strict=True))
    assert found[0] == pytest.approx(3 * found[1])


def test_features_are_families_joined_by_plus() -> None:
    assert parse_features("word:1-2+char:2-4") == [
        Ngrams(analyser="word", shortest=1, longest=2),
        Ngrams(analyser="char_wb", shortest=2, longest=4),
    ]


@pytest.mark.parametrize("features", ["", "word", "word:2-1", "bytes:1-2", "word:1-2 + char:2-3"])
def test_features_of_another_shape_are_refused_with_an_example(features: str) -> None:
    with pytest.raises(PrepareError, match="write 'word:1-2'"):
        parse_features(features)


def test_a_sample_keeps_the_proportions_and_every_label() -> None:
    sample = sampling.stratified(items("a" * 80 + "b" * 19 + "c"), 10)

    assert sorted(item.label for item in sample) == ["a"] * 7 + ["b"] * 2 + ["c"]


def test_a_sample_does_not_depend_on_the_order_of_the_items() -> None:
    many = items("aabb" * 10)

    forth = {item.id for item in sampling.stratified(many, 9)}
    back = {item.id for item in sampling.stratified(many[::-1], 9)}

    assert forth == back


def test_items_of_a_group_are_dealt_to_the_same_part() -> None:
    parts = sampling.deal(items("abababab", group="xxyyzzww"), 3)

    assert parts[0::2] == parts[1::2]
    assert set(parts) == {0, 1, 2}
