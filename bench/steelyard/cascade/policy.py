"""What decides in production: a specialist's scores -> its confidence -> ask the generalist or not.

numpy only: this runs beside the specialist, on the board.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from steelyard.errors import SteelyardError
from steelyard.record import Recorded

Floats = NDArray[np.float64]
Scale = Literal["logits", "probabilities"]
Method = Literal["none", "temperature", "isotonic"]
Share = Annotated[float, Meta(ge=0, le=1)]

# A label without a single train item scores -1e9: so far below the best, that is all it says.
FARTHEST = 50.0
# The least probability that has a logarithm worth keeping.
LEAST = 1e-12


class ScoreError(SteelyardError):
    """Scores that no confidence can be made of; the message says what is wrong with them."""

    exit_code = 3


class Policy(Recorded, frozen=True, kw_only=True):
    """When to ask the generalist: where the confidence in the specialist is at most `threshold`.

    The confidence is the greatest softmax of the scores over `temperature` (of the logarithms of
    what are `probabilities`); with `knots`, pairs of such a value and the share of answers that
    were right there, interpolated in between. 0 never asks the generalist, 1 always does.
    """

    labels: Annotated[int, Meta(ge=2)]
    scores: Scale
    method: Method
    threshold: Share
    temperature: Annotated[float, Meta(gt=0)] = 1.0
    knots: tuple[tuple[Share, Share], ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError, which decoding tells with its place, where parts contradict."""
        if (self.method == "isotonic") != bool(self.knots):
            raise ValueError("knots go with the method isotonic, and only with it")
        if self.method == "none" and self.temperature != 1:
            raise ValueError("the method none has the temperature 1")
        for (x, y), (next_x, next_y) in zip(self.knots, self.knots[1:], strict=False):
            if next_x <= x or next_y < y:
                raise ValueError("knots: expected to rise")


def decide(scores: Sequence[float] | Floats, policy: Policy) -> bool:
    """Return whether to ask the generalist about one item; the specialist answers it otherwise.

    `scores` are the specialist's, one a label, in the order in which it was calibrated. Raises
    ScoreError where they are not as many or not all numbers: nothing can be said of such an answer.
    """
    return bool(confidence(scores, policy)[0] <= policy.threshold)


def confidence(scores: Sequence[float] | Sequence[Sequence[float]] | Floats, how: Policy) -> Floats:
    """Return how probable it is that the best label is right, for one item or a row an item."""
    rows = np.atleast_2d(np.asarray(scores, dtype=np.float64))
    if rows.ndim != 2 or rows.shape[1] != how.labels:
        raise ScoreError(f"{rows.shape[-1]} scores an item, expected one for each of {how.labels}")
    if not bool(np.isfinite(rows).all()):
        raise ScoreError("scores that are not finite numbers: the specialist gave no answer there")
    best: Floats = np.exp(-_spread(logits(rows, how.scores) / how.temperature))
    if not how.knots:
        return best
    at, shares = np.asarray(how.knots, dtype=np.float64).T
    calibrated: Floats = np.interp(best, at, shares)
    return calibrated


def logits(rows: Floats, scale: Scale) -> Floats:
    """Return scores as logits whose best is 0 and none of which lies beyond FARTHEST below it."""
    values = np.log(np.maximum(rows, LEAST)) if scale == "probabilities" else rows
    below: Floats = np.maximum(values - values.max(axis=1, keepdims=True), -FARTHEST)
    return below


def scale_of(rows: Floats) -> Scale:
    """Tell what scores are: probabilities lie between 0 and 1 and sum to 1 at most, in every row.

    Models that know other labels beside the task's give sums below 1.
    """
    whole = rows.sum(axis=1)
    bounded = bool((rows >= 0).all()) and bool((whole <= 1 + 1e-3).all())
    return "probabilities" if bounded and bool((whole > 0).all()) else "logits"


def _spread(values: Floats) -> Floats:
    """Return ln(sum(exp)) of logits whose best is 0: the less, the surer."""
    return np.asarray(np.log(np.exp(values).sum(axis=1)))
