"""Energy, carbon and cost of a call and of a correct answer; or why there is no figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from steelyard.api import Score
from steelyard.energy import Absent, carbon_kg, cost
from steelyard.energy.price import J_PER_KWH
from steelyard.record import CodecarbonReading, EnergyReading
from steelyard.references import Grid, Price, Tariff, grid, tariffs, usual_use
from steelyard.report import units

MODELLED = 3
TIERS = {1: "external meter", 2: "sensor on board", MODELLED: "modelled"}
NOTE = (
    "energy: gross, of one call, with its expanded uncertainty (U = 2u). Figures of different "
    "tiers (external meter, sensor on board, modelled) are not ranked against each other."
)


class Place(Struct, frozen=True, kw_only=True):
    """Where electricity comes from and what it costs; None where nobody has said it."""

    grid: Grid | None = None
    tariff: Tariff | None = None


def place(region: str | None) -> Place:
    """Return a region's grid, and its tariff where one is known; no region, no figures.

    Raises UnknownNameError for a region without a grid.
    """
    if region is None:
        return Place()
    tariff = next((one for one in tariffs() if one.region == region.upper()), None)
    return Place(grid=grid(region), tariff=tariff)


def best(readings: Sequence[EnergyReading]) -> EnergyReading | None:
    """Return the reading of the best tier that has a figure; of one tier, what counts most.

    Only those that count the processor: what a graphics card used while a processor worked
    says nothing about the model.
    """
    known = [
        reading
        for reading in readings
        if reading.gross_j is not None and {"board", "cpu"} & set(reading.covers)
    ]
    return min(known, key=_rank, default=None)


def _rank(reading: EnergyReading) -> tuple[int, bool, int]:
    return reading.tier or MODELLED, "board" not in reading.covers, -len(reading.covers)


def text(reading: EnergyReading | None) -> str | None:
    """Return a table's cell: `12.3 ±0.4 mJ`, `~` before what is modelled; None for no figure."""
    if reading is None or reading.gross_j is None:
        return None
    about = "~" if reading.tier == MODELLED else ""
    return f"{about}{units.energy(reading.gross_j, reading.gross_u_j or 0.0)}"


def notes(
    readings: Sequence[EnergyReading], score: Score | None, where: Place, price: Price | None
) -> Iterator[str]:
    """Say of every meter what it counted, net of idle, per correct answer, carbon and cost.

    `price` is the device's, where it is known.
    """
    for reading in readings:
        if reading.gross_j is None:
            yield f"energy by {reading.meter}: none: {reading.absent or 'no reason was kept'}"
            continue
        yield f"energy by {reading.meter} ({_how(reading)}): {'; '.join(_said(reading, score))}."
        if reading is best(readings):
            yield from _consequences(reading, score, where, price)
        yield from (f"{reading.meter}: {note}" for note in (*reading.notes, *reading.faults))


def codecarbon(reading: CodecarbonReading) -> str:
    """Say what codecarbon makes of the energy pass; its figures are never mixed with ours."""
    if reading.energy_j is None:
        return f"codecarbon: no energy: {reading.reason('energy_j') or 'no reason was kept'}"
    mode = f", CPU by {reading.cpu_mode}" if reading.cpu_mode else ""
    emitted = (
        f", {1e3 * reading.emissions_kg:.3g} g CO2e by the grid of {reading.grid}"
        if reading.emissions_kg is not None
        else ""
    )
    return (
        f"codecarbon {reading.version or ''} (process mode, offline{mode}): "
        f"{units.energy(reading.energy_j)} in {reading.duration_s or 0:.1f} s of work{emitted}"
    )


def _correct(a_call: float, score: Score | None) -> str:
    """Return what a correct answer takes, where the score is the share of them."""
    if score is None or score.metric != "accuracy" or score.value <= 0:
        return ""
    return f" ({a_call / score.value:.3g} a correct answer)"


def _how(reading: EnergyReading) -> str:
    covers = "+".join(reading.covers) or "not known what"
    return f"{TIERS[reading.tier or MODELLED]}, scope {reading.scope}, counts {covers}"


def _said(reading: EnergyReading, score: Score | None) -> Iterator[str]:
    gross_j, u_j = reading.gross_j or 0.0, reading.gross_u_j or 0.0
    yield f"gross {units.energy(gross_j, u_j)} a call"
    if reading.net_j is not None:
        yield f"net of idle {units.energy(reading.net_j, reading.net_u_j or 0.0)}"
    else:
        yield f"net of idle: {reading.no_net or 'idle was not measured'}"
    if score is not None and score.metric == "accuracy" and score.value > 0:
        yield f"{units.energy(gross_j / score.value, u_j / score.value)} a correct answer"
    if reading.idle_watts is not None and reading.watts is not None:
        yield f"{reading.watts:.3g} W at work, {reading.idle_watts:.3g} W idle"
    yield f"{reading.calls} calls in {reading.windows} windows, {reading.updates} updates or more"


def _consequences(
    reading: EnergyReading, score: Score | None, where: Place, price: Price | None
) -> Iterator[str]:
    gross_j = reading.gross_j or 0.0
    if where.grid is not None:
        grams = 1e3 * carbon_kg(gross_j, where.grid)
        yield (
            f"carbon: {grams:.3g} g CO2e a call{_correct(grams, score)}, "
            f"grid of {where.grid.name} {where.grid.year}"
        )
    if where.tariff is None:
        return
    spent = cost(gross_j, reading.seconds_a_call or 0.0, where.tariff, price, usual_use())
    tariff = f"{where.tariff.region} {where.tariff.period}"
    if isinstance(spent, Absent):
        electricity = gross_j / J_PER_KWH * where.tariff.per_kwh
        yield (
            f"cost: electricity {electricity:.3g} {where.tariff.currency} a call ({tariff}); "
            f"without the device: {spent.reason}"
        )
        return
    yield (
        f"cost: {spent.total:.3g} {spent.currency} a call{_correct(spent.total, score)}, "
        f"of which electricity "
        f"{spent.energy:.3g} ({tariff}) and device {spent.device:.3g} ({usual_use().source})"
    )
