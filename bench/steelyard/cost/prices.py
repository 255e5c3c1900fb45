"""What running a model costs, as one file declares it: every figure with its origin."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from msgspec import Meta

from steelyard.cost.figures import Currency, Figure, Money, Rate
from steelyard.errors import PricesError
from steelyard.references import Declared, Text

Role = Literal["specialist", "generalist", "baseline"]
_ALL: tuple[Role, ...] = ("specialist", "generalist", "baseline")
_VOLUME = re.compile(r"([0-9]+(?:\.[0-9]+)?)/day")


class Demand(Declared, frozen=True, kw_only=True):
    """How many calls a day, for how many months."""

    calls_a_day: Annotated[float, Meta(gt=0, le=1e9)]
    months: Annotated[int, Meta(ge=1, le=240)]


class Labelling(Declared, frozen=True, kw_only=True):
    """What a label costs: minutes of somebody's time."""

    minutes_a_label: Figure
    wage_an_hour: Money


class Work(Declared, frozen=True, kw_only=True):
    """An engineer's hours: once to set a model up, and every month to keep it going."""

    set_up_hours: Figure
    upkeep_hours_a_month: Figure


class Engineering(Declared, frozen=True, kw_only=True):
    """What engineers cost and what they do for a model of each role."""

    wage_an_hour: Money
    specialist: Work
    generalist: Work
    baseline: Work

    def work(self, role: str) -> Work:
        """Return the work for a role; for one that is not known, a specialist's."""
        by_role = {"generalist": self.generalist, "baseline": self.baseline}
        return by_role.get(role, self.specialist)


class Network(Declared, frozen=True, kw_only=True):
    """What lies between the caller and a model that is not on the spot."""

    round_trip_s: Figure
    kilobytes_a_call: Figure
    price_a_gigabyte: Money


class Tokens(Declared, frozen=True, kw_only=True):
    """How many tokens go into a call and come out of it."""

    input_a_call: Figure
    output_a_call: Figure


class Placed(Declared, frozen=True, kw_only=True):
    """What all places to run a model share. `memory_bytes` is what a model may occupy there."""

    id: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]*$")]
    name: Text
    roles: Annotated[tuple[Role, ...], Meta(min_length=1)] = _ALL
    memory_bytes: Annotated[int, Meta(gt=0)] | None = None


class Machine(Placed, frozen=True, kw_only=True):
    """A machine that a model has to itself.

    `slowdown` is how many times longer a call takes than on the machine that was measured; without
    it the machine is taken to be like that.
    """

    slowdown: Figure | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a call that takes no time."""
        if self.slowdown is not None and not _least(self.slowdown) > 0:
            raise ValueError("slowdown must be above 0")


class OwnMachine(Machine, frozen=True, kw_only=True, tag_field="kind", tag="own"):
    """A machine bought: its price, what it needs besides, its life, and its power.

    `board` names an entry of the boards' file, which gives the power (as a model's range), and the
    price where none is stated here.
    """

    price: Money | None = None
    extras: Money | None = None
    life_years: Figure
    board: Text | None = None
    idle_w: Figure | None = None
    busy_w: Figure | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a machine that is worn out at once, or has half a power."""
        super().__post_init__()
        if not _least(self.life_years) > 0:
            raise ValueError("life_years must be above 0")
        if (self.idle_w is None) != (self.busy_w is None):
            raise ValueError("`idle_w` and `busy_w` go together: state both or neither")


class RentedMachine(Machine, frozen=True, kw_only=True, tag_field="kind", tag="hour"):
    """A machine rented by the hour, day and night, power included."""

    price_an_hour: Money


class MeteredService(Placed, frozen=True, kw_only=True, tag_field="kind", tag="token"):
    """Somebody else's model, paid by the token; `model` says which one the price is of."""

    model: Text
    price_a_million_input: Money
    price_a_million_output: Money


Deployment = OwnMachine | RentedMachine | MeteredService


class Prices(Declared, frozen=True, kw_only=True):
    """All that a cost is computed from. Everything is told in `currency`.

    `utilisation` is the share of its time that a machine may be at work: calls do not come evenly.
    """

    currency: Currency
    demand: Demand
    rates: tuple[Rate, ...] = ()
    electricity_a_kwh: Money
    utilisation: Figure
    labelling: Labelling
    engineering: Engineering
    network: Network
    tokens: Tokens
    deployments: Annotated[tuple[Deployment, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        """Raise ValueError for a share that is none, or for two deployments of one id."""
        share = self.utilisation
        if not 0 < _least(share) <= (share.high or share.value) <= 1:
            raise ValueError("utilisation is a share: above 0, at most 1")
        ids = [deployment.id for deployment in self.deployments]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"two deployments of id '{twice[0]}'")

    def deployment(self, name: str) -> Deployment:
        """Return a deployment by its id; raise PricesError naming those there are."""
        for deployment in self.deployments:
            if deployment.id == name:
                return deployment
        known = ", ".join(deployment.id for deployment in self.deployments)
        raise PricesError(f"no deployment '{name}'; known: {known}")

    def amount(self, money: Money) -> float:
        """Return a price in `currency`; raise PricesError where no rate is stated for it."""
        if money.currency == self.currency:
            return money.value
        for rate in self.rates:
            if (rate.base, rate.quote) == (self.currency, money.currency):
                return money.value / rate.value
            if (rate.base, rate.quote) == (money.currency, self.currency):
                return money.value * rate.value
        raise PricesError(
            f"in {money.currency}, but all is told in {self.currency}: state it in "
            f"{self.currency}, or a [[rates]] of {self.currency} and {money.currency}"
        )


def demand(volume: str, months: int) -> Demand:
    """Return the demand that `5000/day` and a number of months say; raise PricesError."""
    found = _VOLUME.fullmatch(volume)
    if found is None or not 0 < float(found[1]) <= 1e9:
        raise PricesError(
            f"volume '{volume}': expected a number of calls above 0 and at most 1000000000, "
            "then /day: 5000/day"
        )
    if not 1 <= months <= 240:
        raise PricesError(f"horizon of {months} months: expected 1 to 240")
    return Demand(calls_a_day=float(found[1]), months=months)


def _least(figure: Figure) -> float:
    return figure.value if figure.low is None else figure.low
