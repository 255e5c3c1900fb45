"""What a deployed model costs at any volume: sums once, sums a call, sums a machine."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, fsum

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from steelyard.cost.figures import Money
from steelyard.cost.placing import Deployed, Power, power, refuse, seconds
from steelyard.cost.prices import MeteredService, OwnMachine, Prices, RentedMachine
from steelyard.energy import Absent
from steelyard.energy.price import J_PER_KWH, YEAR_S

DAY_S = 24 * 3600
MONTH_S = YEAR_S / 12


class Part(Struct, frozen=True, kw_only=True):
    """One kind of cost over a horizon: once, for each call a day, and for each machine.

    `computing` tells what is paid for computing from what is paid for people and lines.
    """

    name: str
    computing: bool
    once: float = 0.0
    a_daily_call: float = 0.0
    a_machine: float = 0.0

    def at(self, calls_a_day: float, machines: int) -> float:
        """Return the sum at a volume."""
        return self.once + self.a_daily_call * calls_a_day + self.a_machine * machines


class Schedule(Struct, frozen=True, kw_only=True):
    """All parts of a deployment's cost over `months`.

    A machine serves `capacity` calls a day, then another is needed; None: a service scales by
    itself. `no_electricity` says why there is no such part where one was expected.
    """

    months: float
    parts: tuple[Part, ...]
    capacity: float | None
    no_electricity: str | None = None
    modelled: bool = False

    def machines(self, calls_a_day: float) -> int:
        """Return how many machines a volume takes: one at least, none for a service."""
        if self.capacity is None:
            return 0
        # A volume of just k machines' capacity must not need k + 1 for the last bit of a float.
        return max(1, ceil(round(calls_a_day / self.capacity, 9)))

    def total(self, calls_a_day: float) -> float:
        """Return the sum of all parts."""
        machines = self.machines(calls_a_day)
        return fsum(part.at(calls_a_day, machines) for part in self.parts)

    def steps(self, most: float) -> NDArray[np.float64]:
        """Return the volumes up to `most` beyond which another machine is needed."""
        if self.capacity is None or self.capacity >= most:
            return np.empty(0)
        return np.arange(1, int(most / self.capacity) + 1, dtype=np.float64) * self.capacity


def schedule(deployed: Deployed, prices: Prices, months: float) -> Schedule | Absent:
    """Return what a deployed model costs over `months`; absent where it cannot run there."""
    refused = refuse(deployed)
    if refused is not None:
        return Absent(reason=refused)
    place = deployed.deployment
    people = tuple(_people(deployed, prices, months))
    if isinstance(place, MeteredService):
        parts = (*people, _tokens(deployed, place, prices, months), _network(prices, months))
        return Schedule(months=months, parts=parts, capacity=None)
    capacity = DAY_S * prices.utilisation.value / seconds(deployed)
    if isinstance(place, RentedMachine):
        parts = (*people, _rent(place, prices, months), _network(prices, months))
        return Schedule(months=months, parts=parts, capacity=capacity)
    parts = (*people, _purchase(place, prices, months))
    drawn = power(deployed)
    if isinstance(drawn, Absent):
        return Schedule(months=months, parts=parts, capacity=capacity, no_electricity=drawn.reason)
    electricity = _electricity(drawn, seconds(deployed), prices, months)
    return Schedule(
        months=months,
        parts=(*parts, electricity),
        capacity=capacity,
        modelled=drawn.modelled,
    )


def price_of(place: OwnMachine, prices: Prices) -> float:
    """Return what a machine costs with what it needs; raise ValueError where it has no price."""
    if place.price is None:
        raise ValueError(f"{place.id} has no price")
    return prices.amount(place.price) + _amount(place.extras, prices)


def tokens_a_call(deployed: Deployed, prices: Prices) -> tuple[float, float]:
    """Return tokens in and out: those in as they were counted, where they were."""
    counted = deployed.workload.input_tokens
    given = prices.tokens.input_a_call.value if counted is None else counted
    return given, prices.tokens.output_a_call.value


def tokens_price(deployed: Deployed, place: MeteredService, prices: Prices) -> float:
    """Return what a call's tokens cost."""
    given, written = tokens_a_call(deployed, prices)
    return (
        given * prices.amount(place.price_a_million_input)
        + written * prices.amount(place.price_a_million_output)
    ) / 1e6


def network_price(prices: Prices) -> float:
    """Return what a call's bytes cost."""
    network = prices.network
    return network.kilobytes_a_call.value * prices.amount(network.price_a_gigabyte) / 1e6


def _people(deployed: Deployed, prices: Prices, months: float) -> Iterator[Part]:
    labelling, work = prices.labelling, deployed.workload
    label = prices.amount(labelling.wage_an_hour) * labelling.minutes_a_label.value / 60
    yield Part(name="labels", computing=False, once=label * work.labelled)
    wage = prices.amount(prices.engineering.wage_an_hour)
    hours = prices.engineering.work(work.role)
    yield Part(name="set-up", computing=False, once=wage * hours.set_up_hours.value)
    upkeep = wage * hours.upkeep_hours_a_month.value * months
    yield Part(name="upkeep", computing=False, once=upkeep)


def _purchase(place: OwnMachine, prices: Prices, months: float) -> Part:
    """Return what machines cost: bought whole, and again when they are worn out."""
    bought = max(1, ceil(round(months / 12 / place.life_years.value, 9)))
    return Part(name="machines", computing=True, a_machine=bought * price_of(place, prices))


def _rent(place: RentedMachine, prices: Prices, months: float) -> Part:
    rent = prices.amount(place.price_an_hour) * months * MONTH_S / 3600
    return Part(name="hosting", computing=True, a_machine=rent)


def _electricity(drawn: Power, busy_s: float, prices: Prices, months: float) -> Part:
    a_joule = prices.amount(prices.electricity_a_kwh) / J_PER_KWH
    idle_w = drawn.idle_w or 0.0
    # While it works it does not idle; a call never saves electricity, whatever sources say.
    above_idle = max(0.0, drawn.joules - idle_w * busy_s)
    return Part(
        name="electricity",
        computing=True,
        a_daily_call=above_idle * a_joule * months * MONTH_S / DAY_S,
        a_machine=idle_w * months * MONTH_S * a_joule,
    )


def _tokens(deployed: Deployed, place: MeteredService, prices: Prices, months: float) -> Part:
    a_call = tokens_price(deployed, place, prices)
    return Part(name="tokens", computing=True, a_daily_call=a_call * months * MONTH_S / DAY_S)


def _network(prices: Prices, months: float) -> Part:
    a_call = network_price(prices)
    return Part(name="network", computing=False, a_daily_call=a_call * months * MONTH_S / DAY_S)


def _amount(money: Money | None, prices: Prices) -> float:
    return prices.amount(money) if money is not None else 0.0
