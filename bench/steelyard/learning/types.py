"""What a learning curve says: of one number of labels, of one model, of one task."""

from __future__ import annotations

from steelyard.record import Cell, Recorded
from steelyard.verdict.types import Status

RULE = (
    "A point is a specialist trained on so many labelled train items (a fold, where a task has "
    "folds), drawn several times where they are fewer than all. Each label has an example in every "
    "draw, else they come in proportion; draws overlap where they are a large part of the train "
    "items. Test items are the same throughout, and none is trained on. At a point the specialist "
    "is better (worse, not worse by the margin) only where it is in every one of its draws, on the "
    "items that the generalist was asked: the largest p-value of the draws counts. Exact McNemar "
    "where the metric is accuracy, else a paired bootstrap over items; level 5 %, adjusted by Holm "
    "over the sizes of one curve against one generalist, each kind of finding apart. 'From N on' "
    "is of the sizes that were measured, N and all above it. Differences are of the mean over "
    "draws. Intervals are 95 % over test items, of that mean too; the range is over draws. Nothing "
    "is said of draws that were not made."
)
# The kinds of finding with which a specialist keeps up.
KEEPS_UP: tuple[Status, ...] = ("better", "same")


class Against(Recorded, frozen=True, kw_only=True):
    """All draws of one size beside a generalist; `status` is the specialist's.

    `estimate` is the mean over draws of the specialist's score less the generalist's on n items,
    turned so that more is better, `least` and `most` the ends of its range. `adjusted` is the
    p-value of the status after Holm, of the draw that is least clear. `detectable` is the smallest
    difference that each draw would have shown at 80 % power.
    """

    generalist: Cell
    status: Status
    n: int = 0
    estimate: float | None = None
    least: float | None = None
    most: float | None = None
    adjusted: float | None = None
    detectable: float | None = None
    reason: str | None = None


class Step(Recorded, frozen=True, kw_only=True):
    """What came of one number of labels. `asked` is None for all, `learned` how many it was.

    `scores` has one a draw, on the curve's items; `mean` is theirs, with its 95 % interval over
    items. `absent` says why draws were not measured; with no score at all the size was not.
    """

    asked: int | None
    learned: int | None = None
    scores: tuple[float, ...] = ()
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    against: tuple[Against, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def size(self) -> int | None:
        """How many labels it stands for, or None where all were asked for and none learned."""
        return self.asked if self.learned is None else self.learned


class Learned(Recorded, frozen=True, kw_only=True):
    """From how many labels on a specialist is better, or keeps up; None: from none measured.

    `last` is the comparison at the most labels, `labels` how many those are.
    """

    generalist: Cell
    better_from: int | None
    keeps_up_from: int | None
    labels: int
    last: Against


class Curve(Recorded, frozen=True, kw_only=True):
    """One specialist on n test items, the fewest labels first. `variant` is its card's."""

    model: str
    variant: str
    device: str
    n: int
    steps: tuple[Step, ...]
    learned: tuple[Learned, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Say which model in which variant."""
        return f"{self.model}@{self.variant}"


class Opponent(Recorded, frozen=True, kw_only=True):
    """A generalist that was asked without examples; its score is on all items it was asked.

    `chosen_on` is how many labelled items its prompt was chosen on.
    """

    cell: Cell
    n: int = 0
    score: float | None = None
    low: float | None = None
    high: float | None = None
    chosen_on: int = 0
    absent: str | None = None


class TaskCurves(Recorded, frozen=True, kw_only=True):
    """A task's curves, and the generalists that they are held against."""

    task: str
    metric: str
    margin: float
    curves: tuple[Curve, ...]
    opponents: tuple[Opponent, ...] = ()
    notes: tuple[str, ...] = ()
