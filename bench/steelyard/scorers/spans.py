"""Score spans of a text: exact entities or named tokens, whole items, characters covered at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Literal

import msgspec
import numpy as np
from msgspec import Struct

from steelyard.api import Answer, Label, Score
from steelyard.card import Option
from steelyard.errors import PrepareError, SteelyardError
from steelyard.notation import NotationError, parse_spans
from steelyard.scorers import span_counts
from steelyard.scorers.span_counts import (
    Counts,
    Floats,
    Found,
    Spans,
    f_score,
    precision,
    recall,
)
from steelyard.stats import percentile_interval, wilson

DRAWS = 10_000
SEED = 0
# Draws held at once: 1,000 of 1,500 items are 12 MB.
_AT_ONCE = 1000
_BOOTSTRAP = f"bootstrap over items, {DRAWS} draws"
WHOLE = "exact-match"

Pairs = Sequence[tuple[Spans, Spans]]
Metric = Callable[[Floats], Floats]


class SpanOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is counted, and which metric comes first (default: F1 of the unit).

    `unit`: "entity", a span is right if start, end and type are; "token", the expected spans are
    all tokens of the text, and a token is right if its type is. With `binary`, also the characters
    covered by spans of whatever type: precision, recall and F2, which weighs recall twice.
    """

    unit: Literal["entity", "token"] = "entity"
    metric: str | None = None
    binary: bool = False


class _Table(Struct, frozen=True, kw_only=True):
    """What is counted of each item, a row an item, and the metrics that are made of it.

    `metrics` has, by name, the first of the three columns a metric reads, and the metric.
    """

    counts: Counts
    metrics: dict[str, tuple[int, Metric]]

    def of(self, name: str, sums: Floats) -> Floats:
        """Return a metric of sums of the counts, a row a draw."""
        first, metric = self.metrics[name]
        return metric(sums[:, first : first + 3])


class SpanScorer:
    """Scorer `spans`."""

    def score(
        self,
        answers: Sequence[Answer],
        expected: Sequence[str],
        labels: Sequence[Label],
        options: Mapping[str, Option],
    ) -> list[Score]:
        """Return all metrics that are defined, the wanted one first."""
        how = _options(options)
        table = _table(_pairs(answers, expected, labels), how)
        drawn = np.concatenate([_sums(counts, table) for counts in _draws(len(answers))])
        found = (_scored(name, table, drawn) for name in table.metrics)
        return _first(how, [score for score in found if score is not None])

    def weighted(
        self,
        answers: Sequence[Answer],
        expected: Sequence[str],
        labels: Sequence[Label],
        options: Mapping[str, Option],
    ) -> Callable[[Counts], Floats]:
        """Return the wanted metric as a function of how often each item was drawn."""
        how = _options(options)
        table = _table(_pairs(answers, expected, labels), how)
        wanted = _wanted(how)
        if wanted not in table.metrics:
            raise _unknown(wanted, table.metrics)
        return lambda counts: table.of(wanted, _sums(counts, table))


def _options(given: Mapping[str, Option]) -> SpanOptions:
    try:
        return msgspec.convert(dict(given), SpanOptions)
    except msgspec.ValidationError as error:
        raise PrepareError(f"scorer.options: {error}") from error


def _pairs(answers: Sequence[Answer], expected: Sequence[str], labels: Sequence[Label]) -> Pairs:
    """Return expected and answered spans of each item; refuse what cannot be scored."""
    if not answers:
        raise SteelyardError("nothing to score: there are no answers")
    if len(answers) != len(expected):
        raise SteelyardError(f"{len(answers)} answers for {len(expected)} items")
    known = {label.id for label in labels}
    return [
        (_spans(truth, f"item {place}", known), _spans(answer.label, f"answer {place}", known))
        for place, (answer, truth) in enumerate(zip(answers, expected, strict=True))
    ]


def _spans(text: str, where: str, known: set[str]) -> Spans:
    try:
        spans = parse_spans(text)
    except NotationError as error:
        raise SteelyardError(f"{where}: {error}") from error
    for _, _, kind in spans:
        if kind not in known:
            raise SteelyardError(f"{where}: {kind!r} is not a label of the task")
    return spans


def _table(pairs: Pairs, how: SpanOptions) -> _Table:
    """Count the unit, whole items and, if asked for, characters."""
    units = _counted(pairs, span_counts.entities if how.unit == "entity" else span_counts.tokens)
    # An item is right as a whole if all that is expected was answered, and nothing else.
    right = (units[:, 0] == units[:, 1]) & (units[:, 0] == units[:, 2])
    ones = np.ones_like(right)
    columns = [units, np.stack([right, ones, ones], axis=1).astype(np.int64)]
    metrics = {**_family(how.unit, "f1", f_score, 0), WHOLE: (3, recall)}
    if how.binary:
        columns.append(_counted(pairs, span_counts.characters))
        metrics |= _family("binary", "f2", partial(f_score, beta=2.0), 6)
    return _Table(counts=np.concatenate(columns, axis=1), metrics=metrics)


def _family(name: str, f_name: str, f: Metric, first: int) -> dict[str, tuple[int, Metric]]:
    parts = ((f_name, f), ("precision", precision), ("recall", recall))
    return {f"{name}-{part}": (first, metric) for part, metric in parts}


def _counted(pairs: Pairs, count: Callable[[Spans, Spans], Found]) -> Counts:
    """Return right, expected and answered, a row an item."""
    return np.array([count(truth, said) for truth, said in pairs], np.int64)


def _sums(counts: Counts, table: _Table) -> Floats:
    """Return what is counted of draws in which items occur `counts` times, a row a draw.

    In floats, which hold counts exactly: numpy multiplies whole numbers twenty times slower.
    """
    return np.asarray(counts.astype(np.float64) @ table.counts.astype(np.float64))


def _draws(items: int) -> Iterator[Counts]:
    """Yield how often each item was drawn, in blocks of draws that fit in memory."""
    generator = np.random.default_rng(SEED)
    for start in range(0, DRAWS, _AT_ONCE):
        rows = min(_AT_ONCE, DRAWS - start)
        drawn = generator.integers(0, items, size=(rows, items))
        flat = (drawn + np.arange(rows)[:, None] * items).ravel()
        yield np.bincount(flat, minlength=rows * items).reshape(rows, items)


def _scored(name: str, table: _Table, drawn: Floats) -> Score | None:
    """Return a metric with its interval, or None where it is not defined."""
    n = len(table.counts)
    seen = table.counts.sum(axis=0, keepdims=True).astype(np.float64)
    value = float(table.of(name, seen)[0])
    if np.isnan(value):
        return None
    if name == WHOLE:
        low, high = wilson(int(seen[0, 3]), n)
        return Score(metric=name, value=value, n=n, low=low, high=high, method="Wilson")
    draws = table.of(name, drawn)
    low, high = percentile_interval(draws[np.isfinite(draws)])
    return Score(metric=name, value=value, n=n, low=low, high=high, method=_BOOTSTRAP)


def _wanted(how: SpanOptions) -> str:
    return how.metric or f"{how.unit}-f1"


def _first(how: SpanOptions, scores: list[Score]) -> list[Score]:
    """Return the scores with the wanted one in front."""
    wanted = [score for score in scores if score.metric == _wanted(how)]
    if not wanted:
        raise _unknown(_wanted(how), [score.metric for score in scores])
    return wanted + [score for score in scores if score.metric != wanted[0].metric]


def _unknown(metric: str, had: Iterable[str]) -> SteelyardError:
    return SteelyardError(
        f"scorer.options.metric: no {metric!r}; there is {', '.join(had)} "
        "(binary-* needs `binary`; F1 needs a span, expected or answered)"
    )
