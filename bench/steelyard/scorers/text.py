"""Score texts by edits: character and word error rate, lines without a mistake."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.api import Answer, Label, Score
from steelyard.card import Option
from steelyard.errors import PrepareError, SteelyardError
from steelyard.stats import percentile_interval, wilson

DRAWS = 10_000
SEED = 0
_AT_ONCE = 1000
_BOOTSTRAP = f"bootstrap over items, {DRAWS} draws"

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


class TextOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What does not count: `case`, and with `blanks` every blank."""

    ignore_case: bool = False
    ignore_blanks: bool = False


class _Edits(Struct, frozen=True, kw_only=True):
    """Of each item: edits and length in characters, edits and length in words."""

    letters: Floats
    length: Floats
    words: Floats
    count: Floats


class TextScorer:
    """Scorer `text`: `cer` first (lower is better), then `wer` and `exact-match`.

    A rate is the sum of edits (Levenshtein: insertions, deletions, replacements) over the sum of
    what was expected, so that a long line weighs more than a short one, and can exceed 1. Blanks at
    the ends never count and runs of blanks are one; letters are compared in Unicode's form NFC.
    """

    def score(
        self,
        answers: Sequence[Answer],
        expected: Sequence[str],
        labels: Sequence[Label],  # noqa: ARG002
        options: Mapping[str, Option],
    ) -> list[Score]:
        """Return both rates with their intervals, and the share of items without an edit."""
        edits = _edits(answers, expected, _options(options))
        n = len(answers)
        drawn = [_rates(edits, counts) for counts in _draws(n)]
        cer, wer = (np.concatenate(part) for part in zip(*drawn, strict=True))
        seen = _rates(edits, np.ones((1, n), dtype=np.int64))
        right = int((edits.letters == 0).sum())
        low, high = wilson(right, n)
        exact = Score(
            metric="exact-match", value=right / n, n=n, low=low, high=high, method="Wilson"
        )
        return [
            _bootstrapped("cer", float(seen[0][0]), n, cer),
            _bootstrapped("wer", float(seen[1][0]), n, wer),
            exact,
        ]

    def weighted(
        self,
        answers: Sequence[Answer],
        expected: Sequence[str],
        labels: Sequence[Label],  # noqa: ARG002
        options: Mapping[str, Option],
    ) -> Callable[[Counts], Floats]:
        """Return the character error rate as a function of how often each item was drawn."""
        edits = _edits(answers, expected, _options(options))
        return lambda counts: _rates(edits, counts)[0]


def distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the fewest insertions, deletions and replacements between two sequences.

    Wagner and Fischer, The string-to-string correction problem, Journal of the ACM 21, 1974.
    """
    row = list(range(len(other) + 1))
    for place, left in enumerate(one, 1):
        diagonal, row[0] = row[0], place
        for column, right in enumerate(other, 1):
            swapped = diagonal + (left != right)
            diagonal = row[column]
            row[column] = min(swapped, diagonal + 1, row[column - 1] + 1)
    return row[-1]


def _edits(answers: Sequence[Answer], expected: Sequence[str], how: TextOptions) -> _Edits:
    """Compare answers with what was expected; refuse what cannot be compared."""
    if not answers:
        raise SteelyardError("nothing to score: there are no answers")
    if len(answers) != len(expected):
        raise SteelyardError(f"{len(answers)} answers for {len(expected)} items")
    rows = [
        _item(place, answer.label, truth, how)
        for place, (answer, truth) in enumerate(zip(answers, expected, strict=True))
    ]
    letters, length, words, count = np.array(rows, dtype=np.float64).T
    return _Edits(letters=letters, length=length, words=words, count=count)


def _item(place: int, said: str, truth: str, how: TextOptions) -> tuple[int, int, int, int]:
    words, spoken = _words(truth, how), _words(said, how)
    blank = "" if how.ignore_blanks else " "
    line, read = blank.join(words), blank.join(spoken)
    if not line:
        raise SteelyardError(f"item {place}: the text expected of it is empty")
    return distance(line, read), len(line), distance(words, spoken), len(words)


def _words(text: str, how: TextOptions) -> list[str]:
    kept = unicodedata.normalize("NFC", text)
    return (kept.casefold() if how.ignore_case else kept).split()


def _rates(edits: _Edits, counts: Counts) -> tuple[Floats, Floats]:
    """Return both rates of draws of items, a row a draw; nan where nothing was drawn."""
    weights = counts.astype(np.float64)
    return (
        _divided(weights @ edits.letters, weights @ edits.length),
        _divided(weights @ edits.words, weights @ edits.count),
    )


def _divided(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, nan where whole is 0."""
    nothing = np.full(len(whole), np.nan)
    return np.asarray(np.divide(part, whole, out=nothing, where=whole > 0))


def _draws(n: int) -> Iterator[Counts]:
    """Yield how often each of n items is drawn, in blocks of draws."""
    generator, even = np.random.default_rng(SEED), np.full(n, 1 / n)
    for start in range(0, DRAWS, _AT_ONCE):
        yield generator.multinomial(n, even, size=min(_AT_ONCE, DRAWS - start))


def _bootstrapped(metric: str, value: float, n: int, drawn: Floats) -> Score:
    """Return a score with the interval of its draws, where it has any."""
    known = drawn[np.isfinite(drawn)]
    if len(known) < 2 or n < 2:
        return Score(metric=metric, value=value, n=n)
    low, high = percentile_interval(known)
    return Score(metric=metric, value=value, n=n, low=low, high=high, method=_BOOTSTRAP)


def _options(given: Mapping[str, Option]) -> TextOptions:
    try:
        return msgspec.convert(dict(given), TextOptions)
    except msgspec.ValidationError as error:
        raise PrepareError(f"scorer.options: {error}") from error
