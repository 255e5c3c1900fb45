"""What the rounds say: p50s, their ratio to the bare loop's with an interval, and a verdict."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct
from scipy.stats import t as student

from steelyard import stats
from steelyard.record import Host

SCHEMA = 1
MARGIN = 0.03
CONFIDENCE = 0.95
MEDIAN = 0.5

Verdict = Literal["agrees", "differs", "inconclusive"]


class Kept(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all of the result shares: frozen, strictly decoded."""


class Series(Kept, frozen=True, kw_only=True):
    """One harness on one model: the p50 and the number of calls of each round's process."""

    arm: str
    p50_ns: tuple[int, ...]
    calls: tuple[int, ...]


class Model(Kept, frozen=True, kw_only=True):
    """One generated model. The first of `series` is the bare loop."""

    name: str
    sha256: str
    series: tuple[Series, ...]
    beside: tuple[Series, ...] = ()


class Agreement(Kept, frozen=True, kw_only=True):
    """A run of this benchmark; ratios and verdicts are derived from it."""

    schema: int
    started: str
    host: Host
    versions: dict[str, str]
    beside_versions: dict[str, str]
    warm_up_s: float
    seconds: float
    rounds: int
    load_before: float
    models: tuple[Model, ...]
    absent: tuple[tuple[str, str], ...] = ()


class Ratio(NamedTuple):
    """A ratio of p50s over rounds, with its 95 % interval, absent for a single round."""

    estimate: float
    low: float | None
    high: float | None


def p50(samples: Sequence[int]) -> int:
    """Return the order statistic that steelyard reports; raise ValueError for too few samples."""
    found = stats.percentile(samples, MEDIAN)
    if isinstance(found, stats.TooFew):
        raise ValueError(found.reason)  # noqa: TRY004 - too few samples, not another type
    return round(found.value)


def ratio(ours: Sequence[int], theirs: Sequence[int]) -> Ratio:
    """Return exp(mean of ln(ours/theirs)) over paired rounds, and Student's interval of it.

    The process is the replicate (measuring.md, Comparing two speeds).
    """
    logs = [math.log(one / other) for one, other in zip(ours, theirs, strict=True)]
    centre = statistics.fmean(logs)
    if len(logs) < 2:
        return Ratio(math.exp(centre), None, None)
    spread = statistics.stdev(logs) / math.sqrt(len(logs))
    half = float(student.ppf((1 + CONFIDENCE) / 2, len(logs) - 1)) * spread
    return Ratio(math.exp(centre), math.exp(centre - half), math.exp(centre + half))


def verdict(found: Ratio) -> Verdict:
    """Say whether the interval lies within the margin of 1, outside it, or neither."""
    if found.low is None or found.high is None:
        return "inconclusive"
    if found.low >= 1 - MARGIN and found.high <= 1 + MARGIN:
        return "agrees"
    if found.high < 1 - MARGIN or found.low > 1 + MARGIN:
        return "differs"
    return "inconclusive"


def decode(data: bytes) -> Agreement:
    """Decode a result; raise msgspec.ValidationError where it is none."""
    return msgspec.json.decode(data, type=Agreement)


def encode(result: Agreement) -> bytes:
    """Return the result as indented JSON with sorted keys."""
    return msgspec.json.format(msgspec.json.encode(result, order="sorted"), indent=1) + b"\n"
