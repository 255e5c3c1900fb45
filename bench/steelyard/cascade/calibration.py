"""Make a specialist's scores say how often it is right: fitted and judged on other items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.api import Item
from steelyard.cascade.isotonic import knots
from steelyard.cascade.policy import Floats, Method, Policy, confidence, logits, scale_of
from steelyard.cascade.types import Tried
from steelyard.prepare.folds import stratified_folds

METHODS: tuple[Method, ...] = ("none", "temperature", "isotonic")
PARTS = 5
BINS = 10
SEED = 0
# Between these lies every temperature that is not a sign of scores that say nothing.
COLDEST, HOTTEST = 1e-3, 1e3

Bools = NDArray[np.bool_]
Numbers = NDArray[np.intp]


class Answers(Struct, frozen=True, kw_only=True):
    """A specialist's answers: `scores` [n, labels], and each item's expected label as a column."""

    ids: tuple[str, ...]
    scores: Floats
    expected: Numbers

    @property
    def right(self) -> Bools:
        """Whether the label of the best score, the first of equals, is the expected one."""
        found: Bools = self.scores.argmax(axis=1) == self.expected
        return found

    def part(self, chosen: Bools | Numbers) -> Answers:
        """Return a part of the items."""
        ids = tuple(np.asarray(self.ids, dtype=object)[chosen].tolist())
        return Answers(ids=ids, scores=self.scores[chosen], expected=self.expected[chosen])


def fit(answers: Answers, method: Method) -> Policy:
    """Return a policy whose confidence is calibrated by `method`; its threshold is 0."""
    plain = Policy(
        labels=answers.scores.shape[1],
        scores=scale_of(answers.scores),
        method="none",
        threshold=0.0,
    )
    if method == "none":
        return plain
    fitted = Policy(
        labels=plain.labels,
        scores=plain.scores,
        method="temperature",
        threshold=0.0,
        temperature=temperature(logits(answers.scores, plain.scores), answers.expected),
    )
    if method == "temperature":
        return fitted
    # On warmed scores: on raw ones many a confidence is 1 to the last digit.
    steps = knots(confidence(answers.scores, fitted), answers.right.astype(np.float64))
    return Policy(
        labels=fitted.labels,
        scores=fitted.scores,
        method="isotonic",
        threshold=0.0,
        temperature=fitted.temperature,
        knots=steps,
    )


def temperature(values: Floats, expected: Numbers) -> float:
    """Return the temperature under which the expected labels are most likely (Guo et al. 2017).

    The negative log-likelihood is convex in 1/temperature: its slope's sign is bisected. Where it
    falls for ever, as where every answer is right, the end of the range is returned.
    """
    observed = values[np.arange(len(values)), expected].mean()
    low, high = np.log(1 / HOTTEST), np.log(1 / COLDEST)
    for _ in range(60):
        middle = (low + high) / 2
        weights = np.exp(np.exp(middle) * values)
        mean = ((weights * values).sum(axis=1) / weights.sum(axis=1)).mean()
        low, high = (low, middle) if mean > observed else (middle, high)
    return float(np.exp(-(low + high) / 2))


def try_all(answers: Answers) -> tuple[Tried, ...]:
    """Judge every method on held-out items: each part of five by what the other four taught."""
    parts = split(answers)
    return tuple(_tried(answers, parts, method) for method in METHODS)


def best(tried: Sequence[Tried]) -> Tried:
    """Return the method with the least held-out log loss; of equals the simpler one."""
    return min(tried, key=lambda one: one.log_loss)


def split(answers: Answers, parts: int = PARTS, seed: int = SEED) -> Numbers:
    """Return each item's part: by hash, labels spread evenly."""
    labelled = zip(answers.ids, answers.expected.tolist(), strict=True)
    items = [Item(id=name, text="", label=str(label)) for name, label in labelled]
    folds = stratified_folds(items, min(parts, len(items)), seed)
    return np.array([folds[name] for name in answers.ids], dtype=np.intp)


def log_loss(confidences: Floats, right: Bools) -> float:
    """Return the mean of -ln of the probability that was given to what happened."""
    kept = np.clip(confidences, 1e-12, 1 - 1e-12)
    return float(-np.where(right, np.log(kept), np.log1p(-kept)).mean())


def calibration_error(confidences: Floats, right: Bools, bins: int = BINS) -> float:
    """Return the expected calibration error, bins of equal width (Naeini et al. 2015).

    The mean over items of how far the share of right answers in an item's bin lies from the mean
    confidence there.
    """
    place = np.minimum((confidences * bins).astype(np.intp), bins - 1)
    excess = np.bincount(place, weights=confidences - right, minlength=bins)
    return float(np.abs(excess).sum() / len(confidences))


def _tried(answers: Answers, parts: Numbers, method: Method) -> Tried:
    held = np.empty(len(parts))
    for part in np.unique(parts):
        rest, out = parts != part, parts == part
        held[out] = confidence(answers.scores[out], fit(answers.part(rest), method))
    return Tried(
        method=method,
        log_loss=log_loss(held, answers.right),
        calibration_error=calibration_error(held, answers.right),
    )
