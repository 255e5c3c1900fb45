"""Score forecasts: the mean absolute scaled error, and what of a load it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.api import Answer, Label, Score
from steelyard.card import Option
from steelyard.errors import PrepareError, SteelyardError
from steelyard.notation import NotationError, parse_numbers
from steelyard.stats import percentile_interval

DRAWS = 10_000
SEED = 0
_AT_ONCE = 1000
_BOOTSTRAP = f"bootstrap over items, {DRAWS} draws"

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


class ForecastOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`scale`: the mean absolute error of the seasonal naive forecast within the train part.

    It is a constant of the task, so that an item's answer need not carry its history: an error of 1
    is what repeating the last season costs there (Hyndman and Koehler, Another look at measures of
    forecast accuracy, International Journal of Forecasting 22, 2006).
    """

    scale: float


class _Errors(Struct, frozen=True, kw_only=True):
    """Of each item: its mean absolute error, the sum of errors, the sum of what was, hours."""

    mean: Floats
    total: Floats
    size: Floats
    given: Floats
    wanted: Floats


class Forecast:
    """Scorer `forecast`: `mase` first (lower is better), then `wape` and `answered`.

    Numbers beyond those expected are ignored. What was not forecast counts as a forecast of 0, so
    that silence is never better than a guess; `answered` is the share that was.
    """

    def score(
        self,
        answers: Sequence[Answer],
        expected: Sequence[str],
        labels: Sequence[Label],  # noqa: ARG002
        options: Mapping[str, Option],
    ) -> list[Score]:
        """Return the mean over items of their scaled error, and the weighted percentage error."""
        scale = _options(options).scale
        errors = _errors(answers, expected)
        n = len(answers)
        drawn = [_of(errors, scale, counts) for counts in _draws(n)]
        mase, wape = (np.concatenate(part) for part in zip(*drawn, strict=True))
        seen = _of(errors, scale, np.ones((1, n), dtype=np.int64))
        share = float(errors.given.sum() / errors.wanted.sum())
        return [
            _bootstrapped("mase", float(seen[0][0]), n, mase),
            _bootstrapped("wape", float(seen[1][0]), n, wape),
            Score(metric="answered", value=share, n=n),
        ]

    def weighted(
        self,
        answers: Sequence[Answer],
        expected: Sequence[str],
        labels: Sequence[Label],  # noqa: ARG002
        options: Mapping[str, Option],
    ) -> Callable[[Counts], Floats]:
        """Return the scaled error as a function of how often each item was drawn."""
        scale = _options(options).scale
        errors = _errors(answers, expected)
        return lambda counts: _of(errors, scale, counts)[0]


def _of(errors: _Errors, scale: float, counts: Counts) -> tuple[Floats, Floats]:
    """Return MASE and WAPE of draws of items, a row a draw; nan where nothing was drawn."""
    weights = counts.astype(np.float64)
    number, size = weights.sum(axis=1), weights @ errors.size
    nothing = np.full(len(weights), np.nan)
    mean = np.divide(weights @ errors.mean, number, out=nothing.copy(), where=number > 0)
    share = np.divide(weights @ errors.total, size, out=nothing, where=size > 0)
    return mean / scale, share


def _errors(answers: Sequence[Answer], expected: Sequence[str]) -> _Errors:
    """Compare forecasts with what was; refuse what cannot be compared."""
    if not answers:
        raise SteelyardError("nothing to score: there are no answers")
    if len(answers) != len(expected):
        raise SteelyardError(f"{len(answers)} answers for {len(expected)} items")
    rows = [_item(place, *pair) for place, pair in enumerate(zip(answers, expected, strict=True))]
    mean, total, size, given, wanted = np.array(rows, dtype=np.float64).T
    return _Errors(mean=mean, total=total, size=size, given=given, wanted=wanted)


def _item(place: int, answer: Answer, expected: str) -> tuple[float, ...]:
    try:
        was, said = parse_numbers(expected), parse_numbers(answer.label)
    except NotationError as error:
        raise SteelyardError(f"item {place}: {error}") from error
    if not was:
        raise SteelyardError(f"item {place}: no numbers are expected of it")
    given = min(len(said), len(was))
    forecast = np.zeros(len(was))
    forecast[:given] = said[:given]
    off = np.abs(forecast - np.array(was))
    return float(off.mean()), float(off.sum()), float(np.abs(was).sum()), given, len(was)


def _draws(n: int) -> list[Counts]:
    """Return how often each of n items is drawn, in blocks of draws."""
    generator = np.random.default_rng(SEED)
    even = np.full(n, 1 / n)
    return [
        generator.multinomial(n, even, size=min(_AT_ONCE, DRAWS - start))
        for start in range(0, DRAWS, _AT_ONCE)
    ]


def _bootstrapped(metric: str, value: float, n: int, drawn: Floats) -> Score:
    """Return a score with the interval of its draws, where it has any."""
    known = drawn[np.isfinite(drawn)]
    if len(known) < 2 or n < 2:
        return Score(metric=metric, value=value, n=n)
    low, high = percentile_interval(known)
    return Score(metric=metric, value=value, n=n, low=low, high=high, method=_BOOTSTRAP)


def _options(given: Mapping[str, Option]) -> ForecastOptions:
    try:
        how = msgspec.convert(dict(given), ForecastOptions)
    except msgspec.ValidationError as error:
        raise PrepareError(f"scorer.options: {error}") from error
    if not how.scale > 0:
        raise PrepareError(f"scorer.options.scale: {how.scale}, expected more than 0")
    return how
