"""Ratios of a pair, large over small: efficiency, speed, energy."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf, log, sqrt

from steelyard.claims.card import Claim
from steelyard.claims.grounds import Measured, Task
from steelyard.claims.types import Standing, TaskEvidence
from steelyard.claims.weighing import Finding, Interval, figure, of_task, stand, together
from steelyard.stats import Quantile
from steelyard.verdict.matching import latency
from steelyard.verdict.types import Comparison, Quantity, Verdict

# What "for each second, megabyte and joule" is measured by.
SPENT: dict[Quantity, str] = {
    "latency_p50": "time",
    "memory_peak": "memory",
    "energy": "energy",
}
Z = 1.959963984540054
NO_PAIR = "no specialist stands beside a generalist"


def efficiency(claim: Claim, task: Task) -> TaskEvidence:
    """Judge score for each second, byte and joule, pair by pair."""
    if task.card is not None and not task.card.higher_is_better:
        return TaskEvidence(
            task=task.id, standing="not tested", text="less is better in its metric: no ratio"
        )
    return of_task(task.id, [_efficient(claim, task, pair) for pair in task.pairs], NO_PAIR)


def speed(claim: Claim, task: Task) -> TaskEvidence:
    """Judge p50, and p99 where both sides have enough calls."""
    return of_task(task.id, [_fast(claim, task, pair) for pair in task.pairs], NO_PAIR)


def energy(claim: Claim, task: Task) -> TaskEvidence:
    """Judge the energy of a call, by meters of one tier that count."""
    return of_task(task.id, [_frugal(claim, task, pair) for pair in task.pairs], NO_PAIR)


def unwatched(tasks: Sequence[Task]) -> tuple[str, ...]:
    """Say what was timed without a watch for other work on the machine."""
    cells = {
        cell.id: task.measured(cell)
        for task in tasks
        for pair in task.pairs
        for cell in (pair.small, pair.large)
    }
    known = [one.record for one in cells.values() if one is not None]
    timed = [record for record in known if record.measurement("latency_end_to_end")]
    blind = sum(all(seen.window != "latency" for seen in record.evidence) for record in timed)
    if not blind:
        return ()
    return (f"nobody watched for other work while {blind} of {len(timed)} cells were timed",)


def tails(tasks: Sequence[Task]) -> str:
    """Say how many pairs had enough calls for a p99."""
    ends = [isinstance(_tail(task, pair), Interval) for task in tasks for pair in task.pairs]
    return f"p99 compared in {sum(ends)} of {len(ends)} pairs"


def name(pair: Verdict) -> str:
    """Say who stands beside whom."""
    return f"{pair.small.name} beside {pair.large.name}"


def times(interval: Interval) -> str:
    """Return a ratio with its interval: `12.3 times [11.9 to 12.8]`."""
    if interval.low == interval.high:
        return f"{figure(interval.estimate)} times"
    return f"{figure(interval.estimate)} times [{figure(interval.low)} to {figure(interval.high)}]"


def interval_of(compared: Comparison) -> Interval | None:
    """Return a ratio with its interval; a single count, such as bytes on disk, is its own."""
    if compared.estimate is None or compared.status == "incomparable":
        return None
    if compared.low is None:
        return Interval(estimate=compared.estimate, low=compared.estimate, high=compared.estimate)
    # Nothing bounds a ratio whose denominator may be 0.
    high = compared.high if compared.high is not None else inf
    return Interval(estimate=compared.estimate, low=compared.low, high=high)


def score_ratio(score: Comparison, *, proportion: bool) -> Interval | None:
    """Return the small score over the large one on the same items; None where it is no ratio.

    For a share of right answers the interval is that of a paired ratio's logarithm (delta method,
    the covariance from the difference's own interval). For other metrics the large score is held
    fast and only the difference varies.
    """
    small, large = score.small, score.large
    if small is None or large is None or not (small > 0 and large > 0):
        return None
    if score.low is None or score.high is None:
        return None
    ratio = small / large
    if not proportion or not score.n:
        least = max(large + score.low, 0.0) / large
        return Interval(estimate=ratio, low=min(ratio, least), high=(large + score.high) / large)
    own, other = (value * (1 - value) / score.n for value in (small, large))
    apart = ((score.high - score.low) / (2 * Z)) ** 2
    shared = (own + other - apart) / 2
    spread = own / small**2 + other / large**2 - 2 * shared / (small * large)
    half = Z * sqrt(max(spread, 0.0))
    return Interval(estimate=ratio, low=ratio * exp(-half), high=ratio * exp(half))


def product(first: Interval, second: Interval) -> Interval:
    """Multiply two ratios measured apart: their logarithms' half widths add as squares."""
    estimate = first.estimate * second.estimate
    below = sqrt(sum(log(one.estimate / max(one.low, 1e-300)) ** 2 for one in (first, second)))
    above = sqrt(sum(log(one.high / one.estimate) ** 2 for one in (first, second)))
    return Interval(estimate=estimate, low=estimate * exp(-below), high=estimate * exp(above))


def _efficient(claim: Claim, task: Task, pair: Verdict) -> Finding:
    small = task.measured(pair.small)
    proportion = small is not None and small.record.metric == "accuracy"
    score = score_ratio(pair.score, proportion=proportion)
    if score is None:
        why = pair.score.reason or "a score is missing or 0"
        return Finding(name=name(pair), standing="not tested", text=f"no ratio of scores: {why}")
    ratios: dict[str, Interval] = {}
    for quantity, word in SPENT.items():
        compared = pair.resource(quantity)
        spent = interval_of(compared) if compared is not None else None
        if compared is not None and spent is not None and _counted(compared):
            ratios[word] = product(spent, score)
    if not ratios:
        return Finding(name=name(pair), standing="not tested", text=_why_none(pair))
    of = min(ratios, key=lambda word: ratios[word].estimate)
    return Finding(
        name=name(pair),
        standing=together(stand(ratio, claim.threshold) for ratio in ratios.values()),
        text="; ".join(f"by {word} {times(ratio)}" for word, ratio in ratios.items()),
        figure=ratios[of],
        of=of,
    )


def _fast(claim: Claim, task: Task, pair: Verdict) -> Finding:
    compared = pair.resource("latency_p50")
    median = interval_of(compared) if compared is not None else None
    if compared is None or median is None:
        why = _unnamed(pair, compared) or "no valid latency of both"
        return Finding(name=name(pair), standing="not tested", text=why)
    tail = _tail(task, pair)
    standing = stand(median, claim.threshold)
    if isinstance(tail, Interval):
        if standing == "supported" and tail.high < claim.threshold:
            standing = "undecided"
        if standing == "refuted" and tail.low > claim.threshold:
            standing = "undecided"
    apart = "" if pair.same_host else ", machines differ"
    p99 = f"p99 {times(tail)}" if isinstance(tail, Interval) else f"p99 not compared: {tail}"
    return Finding(
        name=name(pair),
        standing=standing,
        text=f"p50 {times(median)}{apart}; {p99}",
        figure=median,
    )


def _frugal(claim: Claim, task: Task, pair: Verdict) -> Finding:
    compared = pair.resource("energy")
    ratio = interval_of(compared) if compared is not None else None
    if compared is None or ratio is None:
        why = _no_meter(task, pair) or f"energy: {_unnamed(pair, compared) or 'not compared'}"
        return Finding(name=name(pair), standing="not tested", text=why)
    standing: Standing = stand(ratio, claim.threshold)
    text = times(ratio)
    if not _counted(compared):
        standing, text = "undecided", f"{text}, modelled: a model's figures decide nothing"
    return Finding(name=name(pair), standing=standing, text=text, figure=ratio)


def _tail(task: Task, pair: Verdict) -> Interval | str:
    """Return the ratio of the p99, its interval from both intervals; or why there is none."""
    ends = [_p99(task.measured(cell)) for cell in (pair.small, pair.large)]
    missing = [end for end in ends if isinstance(end, str)]
    if missing:
        return missing[0]
    small, large = (end for end in ends if isinstance(end, Quantile))
    if not small.low > 0:
        return "the clock is too coarse for it"
    return Interval(
        estimate=large.value / small.value, low=large.low / small.high, high=large.high / small.low
    )


def _p99(measured: Measured | None) -> Quantile | str:
    found = latency(measured.record, "latency_end_to_end", 0.99) if measured else None
    if found is None:
        return "not validly measured"
    return found if isinstance(found, Quantile) else found.reason


def _no_meter(task: Task, pair: Verdict) -> str | None:
    """Say that no meter could read a machine, which each meter explains at length."""
    sides = (task.measured(cell) for cell in (pair.small, pair.large))
    refused = any(one.record.no_energy and not one.record.energy for one in sides if one)
    return "no meter can read the machine (steelyard doctor says why)" if refused else None


def _counted(compared: Comparison) -> bool:
    """Tell whether a figure may decide: a model's energy may not."""
    return compared.decides or compared.quantity != "energy"


def _why_none(pair: Verdict) -> str:
    reasons = [_unnamed(pair, one) for one in pair.resources if one.quantity in SPENT]
    told = dict.fromkeys(reason for reason in reasons if reason)
    return "; ".join(told) or "no time, memory or energy of both"


def _unnamed(pair: Verdict, compared: Comparison | None) -> str | None:
    """Return a reason without the names that it begins with: what many pairs share is told once."""
    said = (compared.reason if compared else None) or ""
    for cell in (pair.small, pair.large):
        said = said.replace(f"{cell.name}: ", "")
    return "; ".join(dict.fromkeys(said.split("; "))) or None
