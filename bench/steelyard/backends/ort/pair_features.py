"""How alike two short texts are, in numbers: words, characters, codes, quantities.

numpy and the standard library only: the recipe trains on what a board computes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from difflib import SequenceMatcher
from math import sqrt

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Vector = NDArray[np.float32]

# Decimal and thousands marks stay within a number: 3.8, 1,000.
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|\w+")
_JOINED = re.compile(r"[\w./-]*\w")
_QUANTITY = re.compile(r"(\d+(?:[.,]\d+)*)\s*-?\s*([a-zµ\"%]{1,6})(?![a-z])")
_GRAM = 3

FEATURES = (
    "words: Jaccard", "words: share of the shorter", "words: share of the longer",
    "words: cosine by rarity", "words: rarity left over, less", "words: rarity left over, more",
    "words: rarest left over, less", "words: rarest left over, more", "words: first is the same",
    "characters: Jaccard of trigrams", "characters: cosine of trigrams",
    "characters: matching blocks, words sorted", "characters: lengths",
    "codes: shared", "codes: left over, fewer", "codes: left over, more", "codes: near ones",
    "numbers: shared", "numbers: left over, fewer", "numbers: left over, more",
    "quantities: shared", "quantities: contradicted",
)  # fmt: skip


class Rarity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Inverse document frequencies of train words; `unseen` is that of all others."""

    words: Mapping[str, float]
    unseen: float

    def of(self, word: str) -> float:
        """Return how rare a word is."""
        return self.words.get(word, self.unseen)


class _Side(Struct, frozen=True, kw_only=True):
    """One text taken apart."""

    words: tuple[str, ...]
    codes: frozenset[str]
    numbers: frozenset[str]
    quantities: Mapping[str, frozenset[str]]
    grams: Counter[str]


def halves(text: str) -> tuple[str, str]:
    """Return the two texts of a pair: the first line and the rest."""
    one, _, two = text.partition("\n")
    return one, two


def words(text: str) -> list[str]:
    """Return words and numbers in lower case; `16GB` is two, `16` and `gb`."""
    return _WORD.findall(text.lower())


def features(text: str, rarity: Rarity) -> Vector:
    """Return FEATURES of a pair; the same whichever half stands first."""
    one, two = (_side(half) for half in halves(text))
    return np.array(
        [*_of_words(one, two, rarity), *_of_characters(one, two), *_of_facts(one, two)],
        dtype=np.float32,
    )


def _side(text: str) -> _Side:
    lowered = text.lower()
    found = tuple(words(lowered))
    joined = _JOINED.findall(lowered)
    quantities: dict[str, set[str]] = {}
    for value, unit in _QUANTITY.findall(lowered):
        quantities.setdefault(unit, set()).add(_plain_number(value))
    squeezed = f" {' '.join(found)} "
    return _Side(
        words=found,
        codes=frozenset(re.sub(r"\W", "", one) for one in joined if _is_code(one)),
        numbers=frozenset(_plain_number(one) for one in found if one[0].isdigit()),
        quantities={unit: frozenset(values) for unit, values in quantities.items()},
        grams=Counter(squeezed[at : at + _GRAM] for at in range(len(squeezed) - _GRAM + 1)),
    )


def _is_code(word: str) -> bool:
    """Tell whether a word looks like a maker's number: letters and digits, or five digits."""
    digits = sum(one.isdigit() for one in word)
    return len(word) >= 4 and (digits >= 5 or (digits > 0 and any(c.isalpha() for c in word)))


def _plain_number(number: str) -> str:
    """Return a number without thousands marks and trailing zeros: `1,000` is `1000`."""
    plain = re.sub(r",(?=\d{3}\b)", "", number).replace(",", ".")
    return plain.rstrip("0").rstrip(".") if plain.count(".") == 1 else plain


def _of_words(one: _Side, two: _Side, rarity: Rarity) -> list[float]:
    ours, theirs = set(one.words), set(two.words)
    shared = ours & theirs
    weight = {word: rarity.of(word) for word in ours | theirs}
    lengths = [sqrt(sum(weight[word] ** 2 for word in side)) for side in (ours, theirs)]
    product = lengths[0] * lengths[1]
    left = sorted(sum(weight[word] for word in side - shared) for side in (ours, theirs))
    rarest = sorted(
        max((weight[word] for word in side - shared), default=0.0) for side in (ours, theirs)
    )
    return [
        *_overlaps(ours, theirs),
        sum(weight[word] ** 2 for word in shared) / product if product else 0.0,
        *left,
        *rarest,
        float(one.words[:1] == two.words[:1]),
    ]


def _of_characters(one: _Side, two: _Side) -> list[float]:
    shared = sum((one.grams & two.grams).values())
    every = sum((one.grams | two.grams).values())
    dot = sum(times * two.grams[gram] for gram, times in one.grams.items())
    norm = _norm(one.grams.values()) * _norm(two.grams.values())
    first, second = sorted(" ".join(sorted(side.words)) for side in (one, two))
    sizes = sorted((len(first), len(second)))
    return [
        shared / every if every else 0.0,
        dot / norm if norm else 0.0,
        SequenceMatcher(None, first, second, autojunk=False).ratio(),
        sizes[0] / sizes[1] if sizes[1] else 0.0,
    ]


def _of_facts(one: _Side, two: _Side) -> list[float]:
    units = one.quantities.keys() & two.quantities.keys()
    agreed = [bool(one.quantities[unit] & two.quantities[unit]) for unit in units]
    return [
        *_counts(one.codes, two.codes),
        float(_near(one.codes - two.codes, two.codes - one.codes)),
        *_counts(one.numbers, two.numbers),
        float(sum(agreed)),
        float(len(agreed) - sum(agreed)),
    ]


def _overlaps(ours: Collection[str], theirs: Collection[str]) -> list[float]:
    """Return Jaccard's index and the shared share of the smaller and of the larger set."""
    small, large = sorted((set(ours), set(theirs)), key=len)
    shared = len(small & large)
    every = len(small | large)
    if not small:
        return [0.0, 0.0, 0.0]
    return [shared / every, shared / len(small), shared / len(large)]


def _counts(ours: frozenset[str], theirs: frozenset[str]) -> list[float]:
    """Return how many are shared and how many are left on the side with fewer and with more."""
    left = sorted((len(ours - theirs), len(theirs - ours)))
    return [float(len(ours & theirs)), float(left[0]), float(left[1])]


def _near(ours: Iterable[str], theirs: Iterable[str]) -> int:
    """Count codes within a code of the other side: `800033` in `800033801`."""
    others = list(theirs)
    return sum(any(code in other or other in code for other in others) for code in ours)


def _norm(values: Iterable[int]) -> float:
    return sqrt(sum(value**2 for value in values))
