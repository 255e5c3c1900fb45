"""What energy emits and costs: pure arithmetic on published figures."""

from __future__ import annotations

from msgspec import Struct

from steelyard.energy.arithmetic import Absent
from steelyard.references import Grid, Price, Tariff, Use

J_PER_KWH = 3.6e6
YEAR_S = 365.25 * 24 * 3600


class Cost(Struct, frozen=True, kw_only=True):
    """What a call costs: its electricity, and its share of the device's life."""

    energy: float
    device: float
    currency: str

    @property
    def total(self) -> float:
        """Electricity and device together."""
        return self.energy + self.device


def carbon_kg(joules: float, grid: Grid) -> float:
    """Return kg of CO2 equivalent that the grid emitted for this energy."""
    return joules / J_PER_KWH * grid.g_per_kwh / 1000


def cost(
    joules: float, busy_s: float, tariff: Tariff, price: Price | None, use: Use
) -> Cost | Absent:
    """Return what energy and device cost for `busy_s` seconds of the device's working life.

    Absent where the device's price is not known, or in another currency than the tariff: an
    exchange rate would be a guess.
    """
    if price is None:
        return Absent(reason="the device's price is not known: state it in a board file")
    if price.currency != tariff.currency:
        return Absent(
            reason=f"electricity in {tariff.currency}, device in {price.currency}: state a price "
            f"of the device in {tariff.currency}"
        )
    return Cost(
        energy=joules / J_PER_KWH * tariff.per_kwh,
        device=wear(price.amount, busy_s, use.life_years, use.share),
        currency=tariff.currency,
    )


def wear(price: float, busy_s: float, life_years: float, share: float) -> float:
    """Return what `busy_s` seconds take of a device that works `share` of its life."""
    return price * busy_s / (life_years * YEAR_S * share)
