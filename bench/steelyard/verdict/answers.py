"""What the answers of two cells on the same items say, before any adjustment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from msgspec import Struct, structs

from steelyard import stats
from steelyard.errors import SteelyardError
from steelyard.record import Prediction, Record
from steelyard.verdict.matching import Pair

# Gives the task's metric of a record's predictions under counts of its items (stats.Metric), or
# None where the task's scorer cannot.
Reweigh = Callable[[Record, Sequence[Prediction]], stats.Metric | None]

MCNEMAR = "exact McNemar; not worse by the margin: Agresti-Min and Tango, the larger p"
BOOTSTRAP = f"paired bootstrap over items, {stats.DRAWS} draws"
CLUSTERED = f"paired bootstrap over {{}} groups of items, widened, {stats.DRAWS} draws"
# Below it even a widened interval of the bootstrap over groups says little.
FEWEST_GROUPS = 5


class Answers(Struct, frozen=True, kw_only=True):
    """A second cell's right answers less a first's, over the n items that both were asked.

    `flips` counts the items on which their answers differ, right or wrong; `p_value` is exact
    McNemar.
    """

    n: int
    difference: stats.Difference
    p_value: float
    flips: int


class Contrast(Struct, frozen=True, kw_only=True):
    """A small cell less a large one in the task's metric, turned so that more is better.

    `p_equal` is two-sided. `p_small_worse` is of the null that the small one is worse by the
    margin or more, `p_large_worse` that the large one is. `detectable` is at the family's alpha
    and 80 % power; `items_for_margin` show equals to be within the margin at that power.
    """

    n: int
    small: float
    large: float
    difference: stats.Difference
    test: str
    p_equal: float
    p_small_worse: float
    p_large_worse: float
    detectable: float | None
    items_for_margin: int


class Terms(Struct, frozen=True, kw_only=True):
    """What a task asks of a comparison; `family` is how many are made."""

    margin: float
    higher_is_better: bool = True
    family: int = 1

    @property
    def alpha(self) -> float:
        """Return the strictest level that a comparison of the family may have to meet."""
        return stats.ALPHA / max(1, self.family)


def compare(first: Mapping[str, Prediction], second: Mapping[str, Prediction]) -> Answers | None:
    """Compare second with first on the items that both answered; None where there are none."""
    pairs = [(first[item], second[item]) for item in first if item in second]
    if not pairs:
        return None
    lost = sum(right(a) and not right(b) for a, b in pairs)
    won = sum(right(b) and not right(a) for a, b in pairs)
    return Answers(
        n=len(pairs),
        difference=stats.paired_difference(lost, won, len(pairs)),
        p_value=stats.mcnemar_exact(lost, won),
        flips=sum(a.answer != b.answer for a, b in pairs),
    )


def contrast(pair: Pair, terms: Terms, reweigh: Reweigh | None = None) -> Contrast | str:
    """Set the answers of a fit pair against each other, or say why that cannot be done."""
    groups = pair.groups
    if groups is not None and max(groups) + 1 < FEWEST_GROUPS:
        return f"its items are of {max(groups) + 1} groups only, too few to draw from"
    if pair.small.record.metric != "accuracy":
        return _of_metric(pair, terms, reweigh)
    if groups is None:
        return _of_right_answers(pair, terms)
    return _of_metric(pair, terms, _share_right)


def right(prediction: Prediction) -> bool:
    """Tell whether an answer is the expected one."""
    return prediction.answer == prediction.expected


def _share_right(_: Record, predictions: Sequence[Prediction]) -> stats.Metric:
    """Return the accuracy as a function of how often each item was drawn."""
    marks = np.array([right(prediction) for prediction in predictions], dtype=np.float64)
    return lambda counts: counts @ marks / counts.sum(axis=1)


def _of_right_answers(pair: Pair, terms: Terms) -> Contrast:
    items = pair.items
    marks = [(right(pair.small.answers[i]), right(pair.large.answers[i])) for i in items]
    n = len(marks)
    only_large = sum(large and not small for small, large in marks)
    only_small = sum(small and not large for small, large in marks)
    # Half a pair more on each side, as in the interval: no two models agree for certain.
    discordant = min(1.0, (only_large + only_small + 1) / (n + 2))
    return Contrast(
        n=n,
        small=sum(small for small, _ in marks) / n,
        large=sum(large for _, large in marks) / n,
        difference=stats.paired_difference(only_large, only_small, n),
        test=MCNEMAR,
        p_equal=stats.mcnemar_exact(only_large, only_small),
        p_small_worse=stats.noninferiority_p(only_large, only_small, n, terms.margin),
        p_large_worse=stats.noninferiority_p(only_small, only_large, n, terms.margin),
        detectable=stats.detectable_difference(discordant, n, terms.alpha),
        items_for_margin=stats.items_for_margin(discordant, terms.margin),
    )


def _of_metric(pair: Pair, terms: Terms, reweigh: Reweigh | None) -> Contrast | str:
    items = pair.items
    metric = pair.small.record.metric
    sides = (pair.small, pair.large)
    try:
        small, large = (
            reweigh(side.record, [side.answers[item] for item in items]) if reweigh else None
            for side in sides
        )
    except SteelyardError as error:
        return str(error)
    if small is None or large is None:
        return f"the scorer at hand cannot draw {metric} again, which the paired bootstrap needs"
    groups = pair.groups
    drawn = stats.resample(large, small, np.array(groups or range(len(items)), dtype=np.intp))
    if drawn is None:
        return f"{metric} is not defined on these {len(items)} items"
    found = _turned(drawn, len(items), terms)
    test = CLUSTERED.format(max(groups) + 1) if groups else BOOTSTRAP
    return structs.replace(found, test=test)


def _turned(drawn: stats.Resampled, n: int, terms: Terms) -> Contrast:
    """Return a bootstrapped difference such that more is better."""
    up = terms.higher_is_better
    low, high = (drawn.low, drawn.high) if up else (-drawn.high, -drawn.low)
    not_worse, not_better = drawn.p_above(-terms.margin), drawn.p_below(terms.margin)
    if not up:
        not_worse, not_better = drawn.p_below(terms.margin), drawn.p_above(-terms.margin)
    return Contrast(
        n=n,
        small=drawn.second,
        large=drawn.first,
        difference=stats.Difference(drawn.estimate if up else -drawn.estimate, low, high),
        test=BOOTSTRAP,
        p_equal=drawn.p_equal(),
        p_small_worse=not_worse,
        p_large_worse=not_better,
        detectable=stats.detectable_shift(drawn.error, terms.alpha),
        items_for_margin=stats.items_for_shift(drawn.error, n, terms.margin),
    )
