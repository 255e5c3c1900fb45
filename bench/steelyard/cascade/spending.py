"""What calls of two cells take, from their records: time, energy, money; or why it is not known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from msgspec import Struct

from steelyard.cascade.mixture import Budget, Expense, Tail, tail
from steelyard.cascade.policy import Floats
from steelyard.cascade.types import Wanted
from steelyard.cost import Prices, cheapest, per_call, workload
from steelyard.energy import Absent
from steelyard.record import Record
from steelyard.record_figures import MODELLED, alike, tier
from steelyard.verdict.matching import Pair, Side

LATENCY = "latency_end_to_end"


class Spent(Struct, frozen=True, kw_only=True):
    """What a call of one model costs to run, and where."""

    amount: float
    place: str


class Money(Struct, frozen=True, kw_only=True):
    """What calls cost, by whoever knows prices."""

    of: Callable[[Side], Spent | Absent]
    currency: str


class Terms(Struct, frozen=True, kw_only=True):
    """What is asked of the cascade, and what lies between the two models."""

    wanted: Wanted = Wanted()
    round_trip_ns: float = 0.0
    money: Money | None = None


def spent(pair: Pair, terms: Terms) -> Budget:
    """Return what calls of the two take, or why that is not known."""
    first, second = _times(pair.small.record), _times(pair.large.record)
    latency: Expense | Absent
    slowest: Tail | Absent
    if isinstance(first, Absent):
        latency = slowest = first
    elif isinstance(second, Absent):
        latency = slowest = second
    else:
        on_top = float(second.mean()) + terms.round_trip_ns
        latency = Expense(specialist=float(first.mean()), generalist=on_top)
        slowest = tail(first, second, terms.round_trip_ns)
    cost, notes = _cost(pair, terms.money)
    return Budget(
        latency=latency,
        tail=slowest,
        energy=_energy(pair.small.record, pair.large.record),
        cost=cost,
        currency=terms.money.currency if terms.money else None,
        notes=notes,
    )


def running_cost(prices: Prices) -> Money:
    """Return what calls cost to run by these prices, each model where it costs least."""

    def of(side: Side) -> Spent | Absent:
        work = workload(side.record, side.host)
        if isinstance(work, Absent):
            return work
        placed = cheapest(work, prices, prices.demand)
        if isinstance(placed, Absent):
            return placed
        call = per_call(placed.deployed, prices)
        if isinstance(call, Absent):
            return call
        if call.no_electricity is not None:
            return Absent(reason=f"its electricity is not known: {call.no_electricity}")
        return Spent(amount=call.total, place=placed.deployed.deployment.id)

    return Money(of=of, currency=prices.currency)


def _times(record: Record) -> Floats | Absent:
    """Return the latencies of a record in ns."""
    measured = record.measurement(LATENCY)
    if measured is None or not measured.values:
        return Absent(reason=f"{record.cell.id}: latency was not measured")
    if record.broken("latency"):
        return Absent(reason=f"{record.cell.id}: no valid window of latency")
    return np.asarray(measured.values, dtype=np.float64)


def _energy(specialist: Record, generalist: Record) -> Expense | Absent:
    """Return gross energies that counted the same parts, of the best tier that both have."""
    found = None
    if not (specialist.broken("energy") or generalist.broken("energy")):
        found = alike(specialist.energy, generalist.energy)
    if found is None:
        return Absent(reason="energy was not measured of both in the same tier and scope")
    small, large = found
    return Expense(
        specialist=small.gross_j or 0.0,
        generalist=large.gross_j or 0.0,
        u_specialist=small.gross_u_j or 0.0,
        u_generalist=large.gross_u_j or 0.0,
        modelled=tier(small) == MODELLED,
    )


def _cost(pair: Pair, money: Money | None) -> tuple[Expense | Absent, tuple[str, ...]]:
    """Return what a call of each costs, and where."""
    if money is None:
        return Absent(reason="no prices were asked for (--prices)"), ()
    small, large = money.of(pair.small), money.of(pair.large)
    if isinstance(small, Absent):
        return Absent(reason=f"{pair.small.name}: {small.reason}"), ()
    if isinstance(large, Absent):
        return Absent(reason=f"{pair.large.name}: {large.reason}"), ()
    note = (
        f"cost: of running a call, people apart, each model where it costs least: {small.place} "
        f"and {large.place}; steelyard cost has the prices and their sources"
    )
    return Expense(specialist=small.amount, generalist=large.amount), (note,)
