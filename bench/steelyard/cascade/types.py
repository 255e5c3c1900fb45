"""What a cascade says: what was asked of it, what each threshold gives, what to expect."""

from __future__ import annotations

from steelyard.cascade.policy import Method, Policy
from steelyard.demands import Standing
from steelyard.record import Cell, Recorded


class Tried(Recorded, frozen=True, kw_only=True):
    """How well one method's confidences hold on items that it was not fitted on.

    `log_loss` and `calibration_error` (ECE) are of "the specialist is right here".
    """

    method: Method
    log_loss: float
    calibration_error: float


class Wanted(Recorded, frozen=True, kw_only=True):
    """What the user asks of a cascade, of a call: mean latency and p99 in ns, energy in J, cost."""

    min_score: float | None = None
    max_latency_ns: float | None = None
    max_p99_ns: float | None = None
    max_energy_j: float | None = None
    max_cost: float | None = None
    max_escalated: float | None = None


class Point(Recorded, frozen=True, kw_only=True):
    """What one threshold gives on the items it was looked at; latencies in ns, energy in J.

    None is a figure that cannot be known; the result says why.
    """

    threshold: float
    escalated: float
    accuracy: float
    mean_latency_ns: float | None = None
    p99_ns: float | None = None
    energy_j: float | None = None
    cost: float | None = None


class Share(Recorded, frozen=True, kw_only=True):
    """A share of n items with its 95 % interval (Wilson)."""

    value: float
    low: float
    high: float
    n: int


class Gain(Recorded, frozen=True, kw_only=True):
    """Accuracy of the cascade less another's on the same items, with its 95 % interval.

    `p_value` is exact McNemar, two-sided.
    """

    value: float
    low: float
    high: float
    p_value: float


class Expected(Recorded, frozen=True, kw_only=True):
    """What the cascade does with items that its threshold has not seen.

    `specialist` alone is also what is left when the generalist cannot be reached. `either` is the
    accuracy if every item went to the one that is right: no threshold gives more.
    `parts_unmet` of `parts` had no threshold that met what was asked; the nearest was used there.
    """

    accuracy: Share
    escalated: Share
    specialist: Share
    generalist: Share
    over_specialist: Gain
    over_generalist: Gain
    either: float
    parts: int
    parts_unmet: int


class Calibrated(Recorded, frozen=True, kw_only=True):
    """How confidence was calibrated. `policy` has no threshold yet.

    `tried` are held-out figures on the n items it was fitted on. The two errors are ECE on the
    common items, of the scores as they are and as calibrated: where `crossed`, the common items
    are what it was fitted on, and each was judged by the others.
    """

    policy: Policy
    tried: tuple[Tried, ...]
    n: int
    crossed: bool
    error_before: float
    error_after: float


class Judged(Recorded, frozen=True, kw_only=True):
    """One thing that was asked, and whether items that the threshold has not seen meet it.

    `limit` and the figures are in `unit`; None where the figure is not known.
    """

    name: str
    unit: str
    limit: float
    standing: Standing
    at_least: bool = False
    value: float | None = None
    low: float | None = None
    high: float | None = None


class Cascade(Recorded, frozen=True, kw_only=True):
    """A specialist and a generalist in a row, and the threshold between them.

    `chosen` is the point to use, by all common items, or None where none meets what was asked:
    `nearest` is then what comes nearest. `expected` is by cross-fitting. `absent` has pairs of a
    quantity and why it is not known. `currency` is that of costs.
    """

    task: str
    specialist: Cell
    generalist: Cell
    wanted: Wanted
    calibrated: Calibrated
    frontier: tuple[Point, ...]
    nearest: Point
    expected: Expected
    chosen: Point | None = None
    judged: tuple[Judged, ...] = ()
    round_trip_ns: float = 0.0
    currency: str | None = None
    absent: tuple[tuple[str, str], ...] = ()
    caveats: tuple[str, ...] = ()
