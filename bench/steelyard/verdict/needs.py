"""What two cells need of time, memory, space, energy and money, the large over the small."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from steelyard import stats
from steelyard.record import EnergyReading, Record
from steelyard.record_figures import MODELLED, alike, counted, tier
from steelyard.stats import Figure
from steelyard.verdict.matching import Pair, Side, latency
from steelyard.verdict.types import Comparison, Quantity, Status

# Medians of single processes differ by as much without a cause (measuring.md, two speeds).
MARGIN = 0.05

MEDIANS = "order-statistic intervals of both medians, one process each"
POINTS = "one figure of one process each, no interval"
SIZES = "bytes on disk, exact"
ENERGIES = "expanded uncertainties (U = 2u) of both"
PRICED = "from assumed prices, no interval"
NOT_MEASURED = "it was not measured"

# What a call of a record costs, in one currency; None where that is not known.
Costs = Callable[[Record], float | None]


class Need(Struct, frozen=True, kw_only=True):
    """A quantity of which less is better: its unit, its test, whether it decides a verdict."""

    quantity: Quantity
    unit: str
    test: str
    decides: bool = True


LATENCY = Need(quantity="latency_p50", unit="ns", test=MEDIANS)
MEMORY = Need(quantity="memory_peak", unit="B", test=POINTS)
SIZE = Need(quantity="size", unit="B", test=SIZES, decides=False)
ENERGY = Need(quantity="energy", unit="J", test=ENERGIES)
COST = Need(quantity="cost", unit="a call", test=PRICED, decides=False)


def needs(pair: Pair, costs: Costs | None = None) -> tuple[Comparison, ...]:
    """Compare what two cells need, as far as it was measured; cost only where `costs` is given."""
    return tuple(_needs(pair, costs))


def judge(need: Need, small: Figure, large: Figure) -> Comparison:
    """Judge one need: `better` where even the interval's lower end exceeds the margin.

    The interval leaves out how processes differ, since there is one of each: hence the margin.
    """
    ratio = stats.ratio(large, small)
    if ratio is None:
        return absent(need, "a ratio needs figures above 0")
    status = _status(ratio)
    bounded = small.low < small.high or large.low < large.high
    return Comparison(
        quantity=need.quantity,
        status=status,
        unit=need.unit,
        small=small.value,
        large=large.value,
        estimate=ratio.estimate,
        low=ratio.low if bounded else None,
        high=ratio.high if bounded else None,
        test=need.test,
        margin=MARGIN,
        reason=f"the interval reaches across the margin of {100 * MARGIN:g} %"
        if status == "undecided"
        else None,
        decides=need.decides,
    )


def absent(need: Need, reason: str, status: Status = "undecided") -> Comparison:
    """Return a comparison that could not be made, with its reason."""
    return Comparison(
        quantity=need.quantity,
        status=status,
        unit=need.unit,
        margin=MARGIN,
        reason=reason,
        decides=need.decides,
    )


def _status(ratio: stats.Ratio) -> Status:
    if ratio.low > 1 + MARGIN:
        return "better"
    if ratio.high is not None and ratio.high < 1 / (1 + MARGIN):
        return "worse"
    inside = ratio.low >= 1 / (1 + MARGIN) and ratio.high is not None and ratio.high <= 1 + MARGIN
    return "same" if inside else "undecided"


def _needs(pair: Pair, costs: Costs | None) -> Iterator[Comparison]:
    yield _latency(pair)
    yield _memory(pair)
    yield _exact(pair, SIZE, _size)
    yield _energy(pair)
    if costs is not None:
        yield _exact(pair, COST, costs)


def _latency(pair: Pair) -> Comparison:
    found = [_median(one) for one in (pair.small, pair.large)]
    small, large = found
    if isinstance(small, Figure) and isinstance(large, Figure):
        return judge(LATENCY, small, large)
    return absent(LATENCY, "; ".join(one for one in found if isinstance(one, str)))


def _median(one: Side) -> Figure | str:
    """Return the median of end-to-end calls in nanoseconds, or why there is none."""
    record = one.record
    if record.broken("latency"):
        rules = [rule for e in record.evidence if e.window == "latency" for rule in e.broken]
        return f"{one.name}: no valid window ({'; '.join(rules)})"
    found = latency(record, "latency_end_to_end", 0.5)
    if found is None:
        return f"{one.name}: {dict(record.absent).get('latency', 'not measured')}"
    if isinstance(found, stats.TooFew):
        return f"{one.name}: {found.reason}"
    return Figure(value=found.value, low=found.low, high=found.high)


def _memory(pair: Pair) -> Comparison:
    if pair.small.record.memory_limit != pair.large.record.memory_limit:
        reason = "they were held to different memory budgets"
        return absent(MEMORY, reason, "incomparable")
    return _exact(pair, MEMORY, _peak)


def _exact(pair: Pair, need: Need, figure: Costs) -> Comparison:
    """Compare single figures, which have no interval."""
    small, large = figure(pair.small.record), figure(pair.large.record)
    if small is not None and large is not None:
        return judge(need, stats.exact(small), stats.exact(large))
    sides = ((pair.small, small), (pair.large, large))
    unknown = [one.name for one, value in sides if value is None]
    return absent(need, f"{' and '.join(unknown)}: not measured")


def _peak(record: Record) -> float | None:
    measured = record.measurement("memory_peak")
    return measured.values[-1] if measured and measured.values else None


def _size(record: Record) -> float | None:
    return record.artifact.size_bytes if record.artifact else None


def _energy(pair: Pair) -> Comparison:
    """Compare by the best meter that counted the same parts for both, at the same tier."""
    small, large = _counted(pair.small.record), _counted(pair.large.record)
    if not small or not large:
        return absent(ENERGY, _why_no_energy(pair))
    found = alike(small, large)
    if found is None:
        kinds = f"{_kind_text(small[0])} and {_kind_text(large[0])}"
        return absent(ENERGY, f"different tiers or parts were counted: {kinds}", "incomparable")
    ours, theirs = found
    need = Need(
        quantity="energy",
        unit="J",
        test=f"{ENERGIES}; {_kind_text(ours)}",
        decides=tier(ours) != MODELLED,
    )
    return judge(need, _joules(ours), _joules(theirs))


def _counted(record: Record) -> list[EnergyReading]:
    return [] if record.broken("energy") else counted(record.energy)


def _why_no_energy(pair: Pair) -> str:
    why = {
        one.name: _no_energy(one.record)
        for one in (pair.small, pair.large)
        if not _counted(one.record)
    }
    if len(why) > 1 and len(set(why.values())) == 1:
        return next(iter(why.values()))
    return "; ".join(f"{name}: {reason}" for name, reason in why.items())


def _no_energy(record: Record) -> str:
    if record.broken("energy"):
        return "no valid window"
    why = [one.absent for one in record.energy if one.absent]
    if not why and record.no_energy:
        return "no meter can read this machine (steelyard doctor says why and what to do)"
    return "; ".join(why) or NOT_MEASURED


def _kind_text(reading: EnergyReading) -> str:
    by = {1: "external meter", 2: "sensor on board"}.get(tier(reading), "modelled")
    return f"{by}, counting {'+'.join(sorted(reading.covers))}"


def _joules(reading: EnergyReading) -> Figure:
    value, expanded = reading.gross_j or 0.0, reading.gross_u_j or 0.0
    return Figure(value=value, low=value - expanded, high=value + expanded)
