"""Sentences about energy, carbon and cost: what each meter counted, and what it comes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from steelyard import record_figures
from steelyard.api import Score
from steelyard.energy import Absent
from steelyard.record import CodecarbonReading, EnergyReading
from steelyard.references import usual_use
from steelyard.report import units
from steelyard.report.joules import TIERS, Bill, Carbon, Money, best, of_call, of_correct


def meters(
    readings: Sequence[EnergyReading], score: Score | None, bill: Bill | None
) -> Iterator[str]:
    """Say of every meter what it counted, net of idle, per correct answer, carbon and cost."""
    for reading in readings:
        if reading.gross_j is None:
            yield f"energy by {reading.meter}: none: {reading.absent or 'no reason was kept'}"
            continue
        yield f"energy by {reading.meter} ({_how(reading)}): {'; '.join(_said(reading, score))}."
        if bill is not None and reading is best(readings):
            yield from _comes_to(reading, bill)
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


def _how(reading: EnergyReading) -> str:
    covers = "+".join(reading.covers) or "not known what"
    return f"{TIERS[record_figures.tier(reading)]}, scope {reading.scope}, counts {covers}"


def _said(reading: EnergyReading, score: Score | None) -> Iterator[str]:
    call = of_call(reading)
    yield f"gross {units.energy(call.joules, call.expanded)} a call"
    if reading.net_j is not None:
        yield f"net of idle {units.energy(reading.net_j, reading.net_u_j or 0.0)}"
    else:
        yield f"net of idle: {reading.no_net or 'idle was not measured'}"
    right = of_correct(call, score)
    if not isinstance(right, Absent):
        yield f"{units.energy(right.joules, right.expanded)} a correct answer"
    if reading.idle_watts is not None and reading.watts is not None:
        yield f"{reading.watts:.3g} W at work, {reading.idle_watts:.3g} W idle"
    yield f"{reading.calls} calls in {reading.windows} windows, {reading.updates} updates or more"


def _comes_to(reading: EnergyReading, bill: Bill) -> Iterator[str]:
    if bill.with_gpu is not None:
        both = units.energy(bill.with_gpu.joules, bill.with_gpu.expanded_j)
        yield f"{reading.meter} and the graphics cards together: {both} a call"
    if isinstance(bill.carbon, Carbon):
        yield _carbon(bill.carbon)
    if isinstance(bill.money, Money):
        yield _money(bill.money)


def _carbon(carbon: Carbon) -> str:
    right = None if carbon.correct_kg is None else 1e3 * carbon.correct_kg
    grams = f"{1e3 * carbon.call_kg:.3g} g CO2e a call{_a_correct(right)}"
    return f"carbon: {grams}, grid of {carbon.grid} {carbon.year}"


def _money(money: Money) -> str:
    if money.call is None or money.device is None:
        return (
            f"cost: electricity {money.electricity:.3g} {money.currency} a call ({money.tariff}); "
            f"without the device: {money.no_total}"
        )
    return (
        f"cost: {money.call:.3g} {money.currency} a call{_a_correct(money.correct)}, of which "
        f"electricity {money.electricity:.3g} ({money.tariff}) and device {money.device:.3g} "
        f"({usual_use().source})"
    )


def _a_correct(figure: float | None) -> str:
    return "" if figure is None else f" ({figure:.3g} a correct answer)"
