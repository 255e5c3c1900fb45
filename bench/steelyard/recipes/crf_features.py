"""Describe the words of a text for a CRF: what a word is like, and what stands around it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from steelyard.recipes.span_tags import Place, places

AROUND = 2
LONGEST_OUTLINE = 12
_EDGE = "^$"
_DIGITS = re.compile(r"\d")
_RUNS = re.compile(r"(.)\1+")


def features(text: str, at: Sequence[Place]) -> list[list[str]]:
    """Return the features of each unit of a text, as `name=value`."""
    words = [text[start:end] for start, end in at]
    own = [_own(word, gap) for word, gap in zip(words, _gaps(text, at), strict=True)]
    chunks = _chunks(text, at)
    short = [_short(word) for word in words]
    return [[*own[place], *chunks[place], *_around(short, place)] for place in range(len(words))]


def shape(word: str) -> str:
    """Return a word's outline: X for a capital, x for a small letter, 9 for a digit, runs cut at 3.

    "McDonald-12" reads "XxXxxx-99".
    """
    outline = "".join("9" if c.isdigit() else _letter(c) for c in word)
    return re.sub(r"(.)\1{3,}", r"\1\1\1", outline)


def _letter(sign: str) -> str:
    if not sign.isalpha():
        return sign
    return "X" if sign.isupper() else "x"


def _own(word: str, gap: str) -> list[str]:
    """Return what a unit is like, and what blank stands before it."""
    lower = word.lower()
    bare = lower.strip(".,;:()#")
    found = [
        f"word={lower}",
        f"bare={bare}",
        f"shape={shape(word)}",
        f"digits={_DIGITS.sub('9', lower)}",
        f"length={min(len(word), 12)}",
        f"gap={gap}",
    ]
    found += [f"begins={lower[:size]}" for size in (1, 2, 3) if len(lower) > size]
    found += [f"ends={lower[-size:]}" for size in (1, 2, 3) if len(lower) > size]
    return found


def _gaps(text: str, at: Sequence[Place]) -> list[str]:
    """Return the blank before each unit: none, a space, or a line's end."""
    ends = [0, *(end for _, end in at[:-1])]
    gaps = [text[end:start] for end, (start, _) in zip(ends, at, strict=True)]
    return ["line" if "\n" in gap else "space" if gap else "none" for gap in gaps]


def _chunks(text: str, at: Sequence[Place]) -> list[list[str]]:
    """Return what stands between the blanks around each unit: addresses of the web, numbers."""
    chunks = iter(places(text, "tokens"))
    chunk = next(chunks, (0, 0))
    found = []
    for start, _ in at:
        while chunk[1] <= start:
            chunk = next(chunks)
        outline = _RUNS.sub(r"\1", shape(text[slice(*chunk)]))[:LONGEST_OUTLINE]
        found.append([f"chunk={outline}", f"begins-chunk={start == chunk[0]}"])
    return found


def _short(word: str) -> tuple[str, str]:
    """Return what neighbours see of a unit."""
    return word.lower(), shape(word)


def _around(short: Sequence[tuple[str, str]], place: int) -> list[str]:
    """Return what stands up to two units away, and pairs with the next ones."""
    found = []
    for away in (*range(-AROUND, 0), *range(1, AROUND + 1)):
        word, outline = _at(short, place + away)
        found += [f"{away}:word={word}", f"{away}:shape={outline}"]
    before, here, after = (_at(short, place + away)[1] for away in (-1, 0, 1))
    word = short[place][0]
    return [
        *found,
        f"shapes={before}|{here}|{after}",
        f"pair-={_at(short, place - 1)[0]}|{word}",
        f"pair+={word}|{_at(short, place + 1)[0]}",
        f"edge={place == 0}|{place == len(short) - 1}",
    ]


def _at(short: Sequence[tuple[str, str]], place: int) -> tuple[str, str]:
    return short[place] if 0 <= place < len(short) else (_EDGE, _EDGE)
