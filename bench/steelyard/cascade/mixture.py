"""What a call takes when a share of calls goes on to the generalist: means, and the slowest ones.

Sequential: every call pays for the specialist, an escalated one for the generalist too.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from steelyard.cascade.policy import Floats
from steelyard.energy import Absent
from steelyard.stats import percentile_name, samples_needed

# All sums of two samples are looked at: so many of each are enough, evenly from the sorted ones.
_KEPT = 400
# So near the border between the two models' shares no percentile is known.
_BORDER = 0.0005


class Expense(Struct, frozen=True, kw_only=True):
    """What a call of the specialist takes, and what the generalist's comes to on top of it.

    `u_` are the expanded uncertainties of either, 0 where none is known.
    """

    specialist: float
    generalist: float
    u_specialist: float = 0.0
    u_generalist: float = 0.0
    modelled: bool = False

    def mixed(self, escalated: float) -> float:
        """Return the mean where this share of calls is escalated."""
        return self.specialist + escalated * self.generalist

    def uncertainty(self, escalated: float) -> float:
        """Return the expanded uncertainty of that mean, errors of the two taken as one way."""
        return self.u_specialist + escalated * self.u_generalist


class Tail(Struct, frozen=True, kw_only=True):
    """The distribution of latencies of both, in ns, ready to be mixed.

    `alone` and `both` are the cumulative shares at `at` of a call that ends with the specialist
    and of one that goes on; `n_specialist` and `n_generalist` samples stand behind them.
    """

    at: Floats
    alone: Floats
    both: Floats
    n_specialist: int
    n_generalist: int


class Budget(Struct, frozen=True, kw_only=True):
    """What calls take: latency in ns, energy in J, cost in `currency`; or why it is not known.

    `notes` say what the figures are of.
    """

    latency: Expense | Absent
    tail: Tail | Absent
    energy: Expense | Absent
    cost: Expense | Absent
    currency: str | None = None
    notes: tuple[str, ...] = ()


def tail(specialist: Floats, generalist: Floats, round_trip_ns: float = 0.0) -> Tail:
    """Return the distributions behind a mixture's percentiles.

    The two times of one call are taken as independent: samples are not kept by item. Texts that
    are slow for both would make the slowest calls slower than this says.
    """
    alone = np.sort(specialist)
    sums = _thinned(alone)[:, None] + _thinned(np.sort(generalist))[None, :]
    both = np.sort(sums.ravel() + round_trip_ns)
    at = np.unique(np.concatenate([alone, both]))
    return Tail(
        at=at,
        alone=np.searchsorted(alone, at, side="right") / alone.size,
        both=np.searchsorted(both, at, side="right") / both.size,
        n_specialist=len(specialist),
        n_generalist=len(generalist),
    )


def percentile(times: Tail, escalated: float, p: float = 0.99) -> float | Absent:
    """Return the latency in ns that a share p of all calls keeps, or which samples it lacks."""
    within, needed, n, whose = _needs(times, escalated, p)
    if within is None:
        return Absent(reason=f"{percentile_name(p)} lies on the border between the two models")
    if n < needed:
        return Absent(
            reason=f"{percentile_name(p)} of the mixture is {percentile_name(round(within, 4))} of "
            f"the {whose}, which needs {needed} samples; there are {n}"
        )
    shares = (1 - escalated) * times.alone + escalated * times.both
    return float(times.at[int(np.searchsorted(shares, p - 1e-12))])


def _needs(times: Tail, escalated: float, p: float) -> tuple[float | None, int, int, str]:
    """Return whose percentile the mixture's is, as if the generalist were always the slower."""
    if escalated > 1 - p:
        within, n, whose = 1 - (1 - p) / escalated, times.n_generalist, "generalist"
    else:
        within, n, whose = p / (1 - escalated), times.n_specialist, "specialist"
    if within < _BORDER or within > 1 - _BORDER:
        return None, 0, n, whose
    return within, samples_needed(within), n, whose


def _thinned(ordered: Floats) -> Floats:
    """Return sorted samples, or so many of them at even ranks, the slowest among them."""
    if ordered.size <= _KEPT:
        return ordered
    ranks = np.ceil(np.arange(1, _KEPT + 1) * ordered.size / _KEPT).astype(np.intp) - 1
    return np.asarray(ordered[ranks])
