"""What a call and a correct answer use, emit and cost; or why there is no figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from steelyard.api import Covered, MeterScope, Score
from steelyard.cost import best_reading
from steelyard.energy import Absent, Energy, carbon_kg, cost, per_correct, together
from steelyard.energy.price import J_PER_KWH
from steelyard.record import EnergyReading
from steelyard.record_figures import MODELLED
from steelyard.references import Grid, Price, Tariff, grid, tariffs, usual_use
from steelyard.report import units

TIERS = {1: "external meter", 2: "sensor on board", MODELLED: "modelled"}
NOTE = (
    "energy: gross, of one call, with its expanded uncertainty (U = 2u). Figures of different "
    "tiers (external meter, sensor on board, modelled) are not ranked against each other."
)


class Place(Struct, frozen=True, kw_only=True):
    """Where electricity comes from and what it costs; None where nobody has said it."""

    grid: Grid | None = None
    tariff: Tariff | None = None


class Share(Struct, frozen=True, kw_only=True):
    """Energy with its expanded uncertainty (U = 2u)."""

    joules: float
    expanded_j: float


class Carbon(Struct, frozen=True, kw_only=True):
    """What a call emits, in kg of CO2 equivalent; `correct_kg` is None where no share is known."""

    call_kg: float
    correct_kg: float | None
    region: str
    grid: str
    year: int


class Money(Struct, frozen=True, kw_only=True):
    """What a call costs, in `currency`: electricity, the device's share of its life, both.

    `no_total` says why the device's share is None, and with it `call` and `correct`; `correct`
    alone is None where no share of correct answers is known.
    """

    electricity: float
    device: float | None = None
    call: float | None = None
    correct: float | None = None
    no_total: str | None = None
    currency: str
    tariff: str


class Bill(Struct, frozen=True, kw_only=True):
    """What the gross energy of a call comes to, by the best reading; or why it cannot be said.

    `correct` is the energy of a correct answer. `with_gpu` is that of a call with the graphics
    cards that were metered beside the processor, None where there was none.
    """

    correct: Share | Absent
    carbon: Carbon | Absent
    money: Money | Absent
    with_gpu: Share | None = None


def place(region: str | None) -> Place:
    """Return a region's grid, and its tariff where one is known; no region, no figures.

    Raises UnknownNameError for a region without a grid.
    """
    if region is None:
        return Place()
    tariff = next((one for one in tariffs() if one.region == region.upper()), None)
    return Place(grid=grid(region), tariff=tariff)


def best(readings: Sequence[EnergyReading]) -> EnergyReading | None:
    """Return the reading that a call's energy is told by; see `cost.best_reading`."""
    return best_reading(readings)


def text(reading: EnergyReading | None) -> str | None:
    """Return a table's cell: `12.3 ±0.4 mJ`, `~` before what is modelled; None for no figure."""
    if reading is None or reading.gross_j is None:
        return None
    about = "~" if reading.tier == MODELLED else ""
    return f"{about}{units.energy(reading.gross_j, reading.gross_u_j or 0.0)}"


def bill(
    readings: Sequence[EnergyReading], score: Score | None, where: Place, price: Price | None
) -> Bill:
    """Return what the best reading's energy comes to; `price` is the device's, where known."""
    reading = best(readings)
    if reading is None:
        nothing = Absent(reason="no meter has a figure")
        return Bill(correct=nothing, carbon=nothing, money=nothing)
    call = of_call(reading)
    right = of_correct(call, score)
    return Bill(
        correct=right if isinstance(right, Absent) else _share(right),
        carbon=_carbon(call, right, where),
        money=_money(call, right, where, price),
        with_gpu=_with_gpu(reading, readings),
    )


def of_call(reading: EnergyReading) -> Energy:
    """Return the gross energy of a call; raise ValueError for a reading without a figure.

    A record keeps one uncertainty for all its parts: what becomes of it is the same.
    """
    if reading.gross_j is None:
        raise ValueError(f"{reading.meter} has no figure: {reading.absent}")
    return Energy(
        joules=reading.gross_j,
        seconds=reading.seconds_a_call or 0.0,
        meters=(reading.meter,),
        method=reading.method or "modelled",
        scope=cast("MeterScope", reading.scope or "board"),
        covers=cast("tuple[Covered, ...]", reading.covers),
        updates=reading.updates or 0,
        u_gain=(reading.gross_u_j or 0.0) / 2,
        blocks=reading.windows or 1,
    )


def of_correct(call: Energy, score: Score | None) -> Energy | Absent:
    """Return the energy of a correct answer, where the score is the share of them."""
    if score is None:
        return Absent(reason="there is no score")
    if score.metric != "accuracy":
        return Absent(reason=f"{score.metric} is no share of correct answers")
    return per_correct(call, round(score.value * score.n), score.n)


def _share(energy: Energy) -> Share:
    return Share(joules=energy.joules, expanded_j=energy.expanded)


def _carbon(call: Energy, right: Energy | Absent, where: Place) -> Carbon | Absent:
    if where.grid is None:
        return Absent(reason="no region was named (--region)")
    return Carbon(
        call_kg=carbon_kg(call.joules, where.grid),
        correct_kg=None if isinstance(right, Absent) else carbon_kg(right.joules, where.grid),
        region=where.grid.region,
        grid=where.grid.name,
        year=where.grid.year,
    )


def _money(
    call: Energy, right: Energy | Absent, where: Place, price: Price | None
) -> Money | Absent:
    tariff = where.tariff
    if tariff is None:
        return Absent(
            reason="no region was named (--region)"
            if where.grid is None
            else f"no tariff is known for {where.grid.region}"
        )
    bare = Money(
        electricity=call.joules / J_PER_KWH * tariff.per_kwh,
        currency=tariff.currency,
        tariff=f"{tariff.region} {tariff.period}",
    )
    if not call.seconds:
        return replace(bare, no_total="the record does not say how long a call took")
    spent = cost(call.joules, call.seconds, tariff, price, usual_use())
    if isinstance(spent, Absent):
        return replace(bare, no_total=spent.reason)
    known = replace(bare, device=spent.device, call=spent.total)
    if isinstance(right, Absent):
        return known
    answer = cost(right.joules, right.seconds, tariff, price, usual_use())
    return known if isinstance(answer, Absent) else replace(known, correct=answer.total)


def _with_gpu(host: EnergyReading, readings: Sequence[EnergyReading]) -> Share | None:
    """Return the host's energy with that of its graphics cards; None where none was metered."""
    cards = [one for one in readings if one.gross_j is not None and one.covers == ("gpu",)]
    if not cards:
        return None
    both = together([of_call(host), *map(of_call, cards[:1])])
    return None if isinstance(both, Absent) else _share(both)
