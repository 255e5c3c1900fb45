"""Count what stands of an item's spans was found, and turn counts into precision, recall and F."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from steelyard.notation import Span

Spans = Sequence[Span]
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


class Found(NamedTuple):
    """How many were right, expected and answered, of one item or of many."""

    right: int
    expected: int
    answered: int


def entities(expected: Spans, answered: Spans) -> Found:
    """Count spans: right are those whose start, end and type are all as expected.

    As CoNLL-2003 counts entities (Tjong Kim Sang and De Meulder, W03-0419).
    """
    truth, said = set(expected), set(answered)
    return Found(len(truth & said), len(truth), len(said))


def tokens(expected: Spans, answered: Spans) -> Found:
    """Count tokens, which the expected spans are: right are those that got their type.

    A token has the type of the answered span that holds most of its characters, so that a span
    over several tokens names each of them. Answers off all tokens count as answered.
    """
    named = [_best(token, answered) for token in expected]
    right = sum(kind == token[2] for kind, token in zip(named, expected, strict=True))
    astray = sum(not any(_shared(span, token) for token in expected) for span in set(answered))
    return Found(right, len(expected), sum(kind is not None for kind in named) + astray)


def characters(expected: Spans, answered: Spans) -> Found:
    """Count characters that stand in a span of whatever type."""
    truth, said = _covered(expected), _covered(answered)
    return Found(len(truth & said), len(truth), len(said))


def f_score(found: Floats, beta: float = 1.0) -> Floats:
    """Return F of sums (last axis: right, expected, answered); nan where nothing is counted.

    (1 + b^2) right / (b^2 expected + answered), which is van Rijsbergen's F of both.
    """
    right, expected, answered = (found[..., place] for place in range(3))
    return _divided((1 + beta**2) * right, beta**2 * expected + answered)


def precision(found: Floats) -> Floats:
    """Return the share of the answered that is right; nan where nothing was answered."""
    return _divided(found[..., 0], found[..., 2])


def recall(found: Floats) -> Floats:
    """Return the share of the expected that was answered; nan where nothing was expected."""
    return _divided(found[..., 0], found[..., 1])


def _divided(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, nan where whole is 0."""
    nowhere = np.full(np.shape(whole), np.nan)
    return np.asarray(np.divide(part, whole, out=nowhere, where=np.asarray(whole) > 0))


def _covered(spans: Spans) -> set[int]:
    return {place for start, end, _ in spans for place in range(start, end)}


def _shared(span: Span, other: Span) -> int:
    """Return how many characters two spans share."""
    return max(0, min(span[1], other[1]) - max(span[0], other[0]))


def _best(token: Span, answered: Spans) -> str | None:
    """Return the type of the span that holds most of a token, the first among equals, or None."""
    best = max(answered, key=lambda span: _shared(span, token), default=None)
    return best[2] if best is not None and _shared(best, token) else None
