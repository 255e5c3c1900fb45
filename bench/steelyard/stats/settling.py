"""Whether a warm-up has settled."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from statistics import median

SETTLED_WITHIN = 0.025

_ENOUGH_TO_SETTLE = 10
_LOOKED_AT = 256


def settled(samples_ns: Sequence[int], within: float = SETTLED_WITHIN) -> bool:
    """Tell whether the last quarter's median lies `within` a share of the quarter's before it.

    Medians, so that a stall does not count; at least five samples a quarter, and at most
    256 of them looked at, so that asking after every block of calls costs microseconds.
    """
    n = len(samples_ns)
    if n < _ENOUGH_TO_SETTLE:
        return False
    quarter = max(_ENOUGH_TO_SETTLE // 2, n // 4)
    step = ceil(quarter / _LOOKED_AT)
    last = median(samples_ns[n - quarter :: step])
    before = median(samples_ns[n - 2 * quarter : n - quarter : step])
    return abs(last - before) <= within * before
