"""What a verdict says: of one quantity, of one pair of cells, of one task."""

from __future__ import annotations

from typing import Literal

from steelyard.card import Expectation
from steelyard.record import Cell, Recorded

Status = Literal["better", "same", "worse", "undecided", "incomparable"]
Outcome = Literal["wins", "loses", "undecided"]
Quantity = Literal["score", "latency_p50", "memory_peak", "size", "energy", "cost"]


class Comparison(Recorded, frozen=True, kw_only=True):
    """One quantity of a small cell beside a large one's; `status` is the small one's.

    For the score, `estimate` is small less large on the same items, turned so that more is better;
    for all else it is large over small: how many times less the small one needs. `low` and `high`
    are its 95 % interval. `p_value` is that of the status before the adjustment, `adjusted` after.
    `detectable` is the smallest difference that n items would have shown at 80 % power. `reason`
    says why the status is undecided or incomparable. `p_equal` is two-sided, of no difference in
    score, not adjusted, whatever the status. The rule does not look at what does not
    `decide`.
    """

    quantity: Quantity
    status: Status
    unit: str
    small: float | None = None
    large: float | None = None
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    test: str | None = None
    margin: float | None = None
    p_value: float | None = None
    p_equal: float | None = None
    adjusted: float | None = None
    detectable: float | None = None
    reason: str | None = None
    decides: bool = True


class Verdict(Recorded, frozen=True, kw_only=True):
    """Whether a small model wins over a large one on a task; `reason` is one sentence for people.

    `same_host` is whether both were measured on hardware that is alike: then ratios are of the
    models, else of models and machines together. `caveats` are what a reader must know of the pair.
    """

    task: str
    small: Cell
    large: Cell
    outcome: Outcome
    reason: str
    score: Comparison
    resources: tuple[Comparison, ...] = ()
    same_host: bool = True
    caveats: tuple[str, ...] = ()

    def resource(self, quantity: Quantity) -> Comparison | None:
        """Return the comparison of one resource, or None where it was not made."""
        return next((one for one in self.resources if one.quantity == quantity), None)


class TaskVerdict(Recorded, frozen=True, kw_only=True):
    """All pairs of a task, and what they say together.

    `wins`: one specialist, named by `by`, wins over every generalist. `loses`: one generalist,
    named by `by`, wins over every specialist. Else `undecided`. `expectation` was in the task's
    card beforehand. `family` is how many comparisons of scores the p-values are adjusted for, and
    `p_value` the task's own, for an adjustment over tasks: None where nothing was compared.
    """

    task: str
    outcome: Outcome
    reason: str
    by: Cell | None = None
    expectation: Expectation | None = None
    pairs: tuple[Verdict, ...] = ()
    family: int = 0
    p_value: float | None = None
