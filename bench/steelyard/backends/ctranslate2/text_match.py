"""Find a phrase in what a recogniser wrote, a few letters wrong or not."""

from __future__ import annotations

import re


def letters(text: str) -> str:
    """Return the letters and digits of a text in lower case, without what stands between."""
    return re.sub(r"[\W_]+", "", text.lower())


def fewest_errors(phrase: str, text: str) -> int:
    """Return how few letters must be changed, dropped or added for `phrase` to stand in `text`.

    Spaces and punctuation do not count (Sellers, J. Algorithms 1, 1980: the edit distance to the
    nearest substring).
    """
    wanted, written = letters(phrase), letters(text)
    column = list(range(len(wanted) + 1))
    best = column[-1]
    for letter in written:
        before, column[0] = column[0], 0
        for row, other in enumerate(wanted, start=1):
            changed = before + (letter != other)
            before = column[row]
            column[row] = min(changed, column[row] + 1, column[row - 1] + 1)
        best = min(best, column[-1])
    return best
