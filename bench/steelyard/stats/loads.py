"""What the load shapes tell: drift, goodput, throughput, the pace of tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from steelyard.stats.percentiles import Samples
from steelyard.stats.proportions import wilson

MINUTE_NS = 60_000_000_000
_ENOUGH_TO_COMPARE = 5


class Drift(Struct, frozen=True, kw_only=True):
    """The end of a sustained run against its beginning: medians, and the calls behind them.

    `ratio` is last / first: above 1, the device became slower.
    """

    first_ns: float
    last_ns: float
    ratio: float
    first_calls: int
    last_calls: int


class TooShort(Struct, frozen=True, kw_only=True):
    """A sustained run that cannot be cut into a first and a last part."""

    reason: str


class Goodput(Struct, frozen=True, kw_only=True):
    """Answers in time, and the share of arrivals without one, with its Wilson interval.

    The interval takes arrivals as independent. In a queue misses come in clumps, and the true
    interval is wider.
    """

    in_time: int
    arrivals: int
    per_second: float
    missed_share: float
    low: float
    high: float


def drift(
    start_ns: Sequence[int], call_ns: Sequence[int], span_ns: int = MINUTE_NS
) -> Drift | TooShort:
    """Compare the calls that began in the first and in the last `span_ns` of a window.

    `start_ns` are offsets from the window's begin, ascending. The window ends with the last call.
    """
    if len(start_ns) != len(call_ns):
        raise ValueError(f"{len(start_ns)} starts of {len(call_ns)} calls")
    starts, calls = np.asarray(start_ns, np.int64), np.asarray(call_ns, np.int64)
    end = int(starts[-1] + calls[-1]) if len(starts) else 0
    if end < 2 * span_ns:
        return TooShort(reason=f"{end / 1e9:.1f} s, two times {span_ns / 1e9:g} s are needed")
    first, last = calls[starts < span_ns], calls[starts >= end - span_ns]
    if min(len(first), len(last)) < _ENOUGH_TO_COMPARE:
        return TooShort(reason=f"{len(first)} calls at first and {len(last)} at last, 5 are needed")
    before, after = float(np.median(first)), float(np.median(last))
    return Drift(
        first_ns=before,
        last_ns=after,
        ratio=after / before,
        first_calls=len(first),
        last_calls=len(last),
    )


def goodput(latency_ns: Samples, deadline_ns: int, seconds: float, unserved: int = 0) -> Goodput:
    """Return what was answered within `deadline_ns` of its arrival, over `seconds` of arrivals."""
    arrivals = len(latency_ns) + unserved
    in_time = int((np.asarray(latency_ns) <= deadline_ns).sum())
    low, high = wilson(arrivals - in_time, arrivals)
    return Goodput(
        in_time=in_time,
        arrivals=arrivals,
        per_second=in_time / seconds,
        missed_share=(arrivals - in_time) / arrivals,
        low=low,
        high=high,
    )


def throughput(call_ns: Sequence[int], batch: int) -> float:
    """Return items a second over calls of `batch` items each."""
    return batch * len(call_ns) / (sum(call_ns) / 1e9)


def time_per_output_token(token_ns: Sequence[int]) -> float | None:
    """Return (end - first token) / (tokens - 1), nanoseconds; None where there is one token only.

    `token_ns` are the times of a generation's tokens, from when the text was handed in.
    """
    if len(token_ns) < 2:
        return None
    return (token_ns[-1] - token_ns[0]) / (len(token_ns) - 1)


def output_rate(token_ns: Sequence[int]) -> float:
    """Return output tokens a second, from when the text was handed in to the last token."""
    return len(token_ns) / (token_ns[-1] / 1e9)


def prompt_rate(prompt_tokens: int, first_token_ns: int) -> float:
    """Return prompt tokens a second: those run (not those cached) over the time to first token."""
    return prompt_tokens / (first_token_ns / 1e9)
