"""What the load shapes showed, a line a shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from steelyard import stats
from steelyard.loads import (
    AnyLoadResult,
    ArrivalTimes,
    ColdStartResult,
    GenerateResult,
    OfflineResult,
    PoissonResult,
    SensorResult,
    SustainedResult,
)
from steelyard.record import Evidence
from steelyard.report import units
from steelyard.stats import Quantile, TooFew, Unserved


def lines(results: Sequence[AnyLoadResult], evidence: Sequence[Evidence]) -> Iterator[str]:
    """Return one line a load shape, a sustained one with what heat did beside it."""
    watched = iter([one for one in evidence if _sustained_window(one) and not one.broken])
    for result in results:
        beside = next(watched, None) if isinstance(result, SustainedResult) else None
        yield said(result) if beside is None else f"{said(result)}; {_heat(beside)}"


def said(result: AnyLoadResult) -> str:
    """Return one line about a load shape."""
    match result:
        case OfflineResult():
            return f"offline: {_offline(result)}"
        case PoissonResult():
            return f"Poisson arrivals, {result.rate_hz:g} a second: {_arrivals(result.times)}"
        case SensorResult():
            return f"sensor, {result.rate_hz:g} a second: {_arrivals(result.times)}"
        case SustainedResult():
            return f"sustained: {_sustained(result)}"
        case ColdStartResult():
            return f"cold start: {_cold(result)}"
        case GenerateResult():
            return f"generation: {_generation(result)}"


def _offline(result: OfflineResult) -> str:
    rates = (
        f"{_rate(stats.throughput(stats.unpack(times.call_ns), times.batch))} items a second at "
        f"batch {times.batch}"
        for times in result.batches
    )
    return ", ".join(rates)


def _arrivals(times: ArrivalTimes) -> str:
    latency = stats.unpack(times.latency_ns)
    good = stats.goodput(latency, times.deadline_ns, times.seconds, times.unserved)
    percentiles = ", ".join(
        _percentile(p, stats.served_percentile(latency, times.unserved, p)) for p in (0.5, 0.99)
    )
    return (
        f"{percentiles} from the scheduled arrival; goodput {_rate(good.per_second)} a second, "
        f"{good.missed_share:.1%} [{good.low:.1%},{good.high:.1%}] missed the deadline of "
        f"{units.duration(times.deadline_ns)} (n={good.arrivals})"
    )


def _percentile(p: float, seen: Quantile | TooFew | Unserved) -> str:
    name = stats.percentile_name(p)
    return f"{name} {units.duration(seen.value)}" if isinstance(seen, Quantile) else seen.reason


def _sustained(result: SustainedResult) -> str:
    drift = stats.drift(stats.unpack(result.start_ns), stats.unpack(result.call_ns))
    if isinstance(drift, stats.TooShort):
        return drift.reason
    return (
        f"median of the last minute {units.duration(drift.last_ns)}, {drift.ratio:.2f} times "
        f"that of the first ({drift.last_calls} and {drift.first_calls} calls kept)"
    )


def _sustained_window(evidence: Evidence) -> bool:
    return evidence.window.partition(" ")[2].startswith("sustained")


def _heat(evidence: Evidence) -> str:
    warm, fast = evidence.highest_temperature_c, evidence.highest_clock_hz
    cool, slow = evidence.lowest_temperature_c, evidence.lowest_clock_hz
    temperature = "not told" if warm is None or cool is None else f"{cool:.0f} to {warm:.0f} C"
    clock = (
        "not told" if fast is None or slow is None else f"{slow / 1e9:.2f} to {fast / 1e9:.2f} GHz"
    )
    throttled = f", throttled ({', '.join(evidence.throttled)})" if evidence.throttled else ""
    return f"temperature {temperature}, clock {clock}{throttled}"


def _cold(result: ColdStartResult) -> str:
    parts = (
        f"{units.duration(median(getattr(start, name) for start in result.starts))} to {what}"
        for name, what in (
            ("imported_ns", "libraries"),
            ("opened_ns", "model"),
            ("answered_ns", "first answer"),
        )
    )
    return f"{', '.join(parts)} (medians of {len(result.starts)}); {_cache(result)}"


def _cache(result: ColdStartResult) -> str:
    caches = [start.cache for start in result.starts if start.cache is not None]
    if not caches or caches[0].method == "none":
        return "page cache left as it was"
    known = [cache.resident for cache in caches if cache.resident is not None]
    if len(known) < len(caches):
        return "the artefact's pages were asked to be dropped, not known how many stayed"
    return f"of the artefact's {caches[0].pages} pages at most {max(known)} were in memory"


def _generation(result: GenerateResult) -> str:
    return "; ".join(_paces(result)) or "nothing was generated"


def _paces(result: GenerateResult) -> Iterator[str]:
    runs = [run for run in result.generations if run.token_ns]
    if not runs:
        return
    yield f"time to first token {units.duration(median(run.token_ns[0] for run in runs))}"
    paces = _known([stats.time_per_output_token(run.token_ns) for run in runs])
    if paces:
        yield f"time per output token {units.duration(median(paces))}"
    yield f"{_rate(median(stats.output_rate(run.token_ns) for run in runs))} tokens a second"
    prompts = [
        stats.prompt_rate(run.prompt_tokens - run.cached_tokens, run.token_ns[0]) for run in runs
    ]
    yield f"{_rate(median(prompts))} prompt tokens a second"
    yield f"medians of {len(runs)} texts, up to {result.max_new_tokens} tokens each"


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _rate(per_second: float) -> str:
    """Return a rate to three digits, without an exponent."""
    return f"{per_second:,.0f}" if per_second >= 99.95 else f"{per_second:.3g}"
