"""Planned looks at pairs of fresh processes: a group-sequential test that spends its error. Pure.

Each value is ln(candidate / baseline) of one block; blocks are independent, calls are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import e, exp, fsum, isqrt, log1p, sqrt

from msgspec import Struct

from steelyard import stats
from steelyard.gate.types import Bounds

# One-sided, over all looks: however noisy a device is, one true A/A gate in a hundred at most
# calls a regression. At 0.025 a very noisy one would cry wolf at one in forty.
ALPHA = 0.01
POWER = 0.95
BLOCKS = (10, 20, 40)
# Below it Student's quantiles outgrow what a block saves.
FEWEST, MOST = 6, 90


class Looks(Struct, frozen=True, kw_only=True):
    """After how many blocks the gate looks: three times at most, planned before it starts."""

    blocks: tuple[int, ...] = BLOCKS

    def __post_init__(self) -> None:
        """Raise ValueError for a plan that cannot be followed."""
        steps = self.blocks
        rising = all(a < b for a, b in pairwise(steps)) and min(steps, default=0) >= 2
        if not 1 <= len(steps) <= 3 or not rising:
            raise ValueError(f"looks are one to three rising numbers of blocks, not {steps}")

    @property
    def shares(self) -> tuple[float, ...]:
        """Return what part of the error each look may spend; together 1.

        The increments of Lan and DeMets' Pocock-like spending function ln(1 + (e-1) t)
        (Biometrika 1983), t being the part of the blocks. They are added up, not integrated over
        the looks' joint distribution: exact for Student's t at any n, and at most alpha in all.
        """
        spent = [0.0, *(log1p((e - 1) * n / self.blocks[-1]) for n in self.blocks)]
        return tuple(later - earlier for earlier, later in pairwise(spent))


class Finding(Struct, frozen=True, kw_only=True):
    """What the looks made so far say. Logs of ratios; `spread` is a block's standard deviation.

    `p_slow`: of no more than tolerated. `p_fine`: of the margin or more. Both count all looks.
    The interval is the last look's, one-sided at its share of the error on either side.
    """

    n: int
    mean: float
    spread: float
    low: float
    high: float
    confidence: float
    p_slow: float
    p_fine: float
    share: float


def find(logs: Sequence[float], bounds: Bounds, looks: Looks) -> Finding:
    """Return what `logs` say at every planned look that they reach.

    Raises ValueError before the first. A p-value over all looks is the least of p_k / share_k:
    each look rejects at alpha times its share, which bounds the sum by alpha (Bonferroni).
    """
    reached = [(n, share) for n, share in zip(looks.blocks, looks.shares, strict=True)]
    reached = [(n, share) for n, share in reached if n <= len(logs)]
    if not reached:
        raise ValueError(f"{len(logs)} blocks: the first look is after {looks.blocks[0]}")
    samples = [(_sample(logs[:n]), share) for n, share in reached]
    slow = min(_p_above(one, bounds.log_tolerated) / share for one, share in samples)
    fine = min(_p_below(one, bounds.log_margin) / share for one, share in samples)
    last, share = samples[-1]
    n, mean, spread = last.n, last.mean, last.spread
    reach = stats.student_quantile(n - 1, 1 - 2 * ALPHA * share) * last.error
    return Finding(
        n=n,
        mean=mean,
        spread=spread,
        low=mean - reach,
        high=mean + reach,
        confidence=1 - 2 * ALPHA * share,
        p_slow=min(1.0, slow),
        p_fine=min(1.0, fine),
        share=share,
    )


def detectable(finding: Finding, bounds: Bounds) -> float:
    """Return the least change, as a share, that so many blocks of this spread find at POWER."""
    reach = _reach(finding.share, finding.n) * finding.spread / sqrt(finding.n)
    return exp(bounds.log_tolerated + reach) - 1


def blocks_needed(spread: float, bounds: Bounds) -> int | None:
    """Return after how many blocks a change of the margin is found at POWER; None beyond 10,000.

    At the share that the default plan leaves to its last look.
    """
    share = Looks().shares[-1]
    gap = bounds.log_margin - bounds.log_tolerated
    sizes = [*range(FEWEST, 100), *(isqrt(10**k) for k in range(4, 9))]
    enough = (n for n in sizes if _reach(share, n) * spread / sqrt(n) <= gap)
    first = next(enough, None)
    if first is None or first < 100:
        return first
    # The normal quantiles are as good as Student's there.
    return int((_reach(share, first) * spread / gap) ** 2) + 1


def planned(spread: float, bounds: Bounds) -> Looks | None:
    """Return looks for a device whose blocks have this spread; None where MOST would not do."""
    needed = blocks_needed(spread, bounds)
    if needed is None or needed > MOST:
        return None
    return spaced(max(BLOCKS[0], needed))


def spaced(last: int) -> Looks:
    """Return looks after a quarter, a half and all of so many blocks, none before FEWEST."""
    steps = dict.fromkeys(max(FEWEST, -(-last // part)) for part in (4, 2, 1))
    return Looks(blocks=tuple(steps))


def _reach(share: float, n: int) -> float:
    return stats.student_quantile(n - 1, 1 - 2 * ALPHA * share) + stats.student_quantile(
        n - 1, 2 * POWER - 1
    )


class _Sample(Struct, frozen=True, kw_only=True):
    n: int
    mean: float
    spread: float

    @property
    def error(self) -> float:
        return self.spread / sqrt(self.n)


def _sample(logs: Sequence[float]) -> _Sample:
    n = len(logs)
    mean = fsum(logs) / n
    # All alike is no spread at all: rounding must not make one.
    alike = min(logs) == max(logs)
    squares = 0.0 if alike else fsum((value - mean) ** 2 for value in logs)
    return _Sample(n=n, mean=logs[0] if alike else mean, spread=sqrt(squares / (n - 1)))


def _p_above(sample: _Sample, bound: float) -> float:
    """Return the one-sided p-value that the mean is `bound` or less."""
    return _p(sample.mean - bound, sample)


def _p_below(sample: _Sample, bound: float) -> float:
    """Return the one-sided p-value that the mean is `bound` or more."""
    return _p(bound - sample.mean, sample)


def _p(beyond: float, sample: _Sample) -> float:
    if sample.spread == 0:
        return 0.0 if beyond > 0 else 1.0
    return stats.student_tail(beyond / sample.error, sample.n - 1)
