"""What a call costs, what all of it costs over a horizon, and where it costs least."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import fsum

from msgspec import Struct

from steelyard.cost.placing import (
    Deployed,
    answer_s,
    as_measured,
    deployments_for,
    power,
    refuse,
    runs_it,
    seconds,
)
from steelyard.cost.prices import Demand, MeteredService, OwnMachine, Prices, RentedMachine
from steelyard.cost.schedule import (
    DAY_S,
    MONTH_S,
    Schedule,
    network_price,
    price_of,
    schedule,
    tokens_price,
)
from steelyard.cost.workload import Workload
from steelyard.energy import Absent
from steelyard.energy.price import J_PER_KWH, wear


class Share(Struct, frozen=True, kw_only=True):
    """One kind of cost and its sum."""

    name: str
    amount: float
    computing: bool


class CostOfCall(Struct, frozen=True, kw_only=True):
    """What a call costs to run, people apart, on a machine that is at work `utilisation` of it.

    `no_electricity` says why it is without electricity; `modelled`: no meter was read for it.
    """

    parts: tuple[Share, ...]
    currency: str
    utilisation: float | None
    correct: float | None
    no_electricity: str | None = None
    modelled: bool = False

    @property
    def total(self) -> float:
        """All parts of one call."""
        return fsum(part.amount for part in self.parts)

    @property
    def per_1000(self) -> float:
        """A thousand calls."""
        return 1000 * self.total

    @property
    def per_1000_correct(self) -> float | None:
        """A thousand correct answers; None where no share of correct answers is known."""
        return self.per_1000 / self.correct if self.correct else None


class Total(Struct, frozen=True, kw_only=True):
    """What everything costs over a horizon; `machines` is None for a service.

    `utilisation` is the share of their time that the machines are then at work, `answer_s` what a
    caller waits. `notes` are what a reader must know of the figure.
    """

    parts: tuple[Share, ...]
    currency: str
    calls: float
    correct: float | None
    machines: int | None
    utilisation: float | None
    answer_s: float | None
    no_electricity: str | None = None
    modelled: bool = False
    notes: tuple[str, ...] = ()

    @property
    def amount(self) -> float:
        """All parts."""
        return fsum(part.amount for part in self.parts)

    @property
    def per_1000(self) -> float:
        """A thousand calls."""
        return 1000 * self.amount / self.calls

    @property
    def per_1000_correct(self) -> float | None:
        """A thousand correct answers; None where no share of correct answers is known."""
        return self.per_1000 / self.correct if self.correct else None

    @property
    def computing_share(self) -> float | None:
        """The share of computing in the total; None where nothing costs anything."""
        spent = fsum(part.amount for part in self.parts if part.computing)
        return spent / self.amount if self.amount > 0 else None


class Priced(Struct, frozen=True, kw_only=True):
    """A model somewhere, and what that costs."""

    deployed: Deployed
    total: Total


def per_call(deployed: Deployed, prices: Prices) -> CostOfCall | Absent:
    """Return what a call costs to run at the stated utilisation; absent where it cannot run."""
    refused = refuse(deployed)
    if refused is not None:
        return Absent(reason=refused)
    drawn = power(deployed)
    own = isinstance(deployed.deployment, OwnMachine)
    service = isinstance(deployed.deployment, MeteredService)
    return CostOfCall(
        parts=tuple(_running(deployed, prices)),
        currency=prices.currency,
        utilisation=None if service else prices.utilisation.value,
        correct=deployed.workload.correct,
        no_electricity=drawn.reason if own and isinstance(drawn, Absent) else None,
        modelled=not isinstance(drawn, Absent) and drawn.modelled,
    )


def total(deployed: Deployed, prices: Prices, demand: Demand) -> Total | Absent:
    """Return what everything costs at a demand; absent where the model cannot run there."""
    plan = schedule(deployed, prices, demand.months)
    if isinstance(plan, Absent):
        return plan
    machines = plan.machines(demand.calls_a_day)
    parts = (
        Share(name=p.name, amount=p.at(demand.calls_a_day, machines), computing=p.computing)
        for p in plan.parts
    )
    busy = None
    if plan.capacity is not None:
        busy = demand.calls_a_day * seconds(deployed) / (DAY_S * machines)
    return Total(
        parts=tuple(parts),
        currency=prices.currency,
        calls=demand.calls_a_day * demand.months * MONTH_S / DAY_S,
        correct=deployed.workload.correct,
        machines=None if plan.capacity is None else machines,
        utilisation=busy,
        answer_s=answer_s(deployed, prices),
        no_electricity=plan.no_electricity,
        modelled=plan.modelled,
        notes=tuple(_notes(deployed, plan, machines)),
    )


def everywhere(workload: Workload, prices: Prices, demand: Demand) -> tuple[Priced, ...]:
    """Return what a model costs in every place where it can run, the cheapest first.

    A service that sells another model is none of them: its answers were not scored.
    """
    placed = (
        Deployed(workload=workload, deployment=place)
        for place in deployments_for(workload, prices)
        if runs_it(workload, place)
    )
    found = ((one, total(one, prices, demand)) for one in placed)
    priced = [Priced(deployed=one, total=sum_) for one, sum_ in found if isinstance(sum_, Total)]
    return tuple(sorted(priced, key=lambda one: one.total.amount))


def cheapest(workload: Workload, prices: Prices, demand: Demand) -> Priced | Absent:
    """Return the place where a model costs least at a demand; absent where it can run nowhere.

    A place whose electricity is not known is taken only where there is no other.
    """
    found = everywhere(workload, prices, demand)
    whole = [one for one in found if one.total.no_electricity is None]
    best: Sequence[Priced] = whole or found
    return best[0] if best else Absent(reason=f"{workload.name} can run in none of the places")


def _running(deployed: Deployed, prices: Prices) -> Iterator[Share]:
    place = deployed.deployment
    if isinstance(place, MeteredService):
        yield Share(name="tokens", amount=tokens_price(deployed, place, prices), computing=True)
        yield Share(name="network", amount=network_price(prices), computing=False)
        return
    busy_s, share = seconds(deployed), prices.utilisation.value
    if isinstance(place, RentedMachine):
        rent = prices.amount(place.price_an_hour) * busy_s / 3600 / share
        yield Share(name="hosting", amount=rent, computing=True)
        yield Share(name="network", amount=network_price(prices), computing=False)
        return
    worn = wear(price_of(place, prices), busy_s, place.life_years.value, share)
    yield Share(name="machines", amount=worn, computing=True)
    drawn = power(deployed)
    if isinstance(drawn, Absent):
        return
    waiting = (drawn.idle_w or 0.0) * busy_s * (1 - share) / share
    kwh = (drawn.joules + waiting) / J_PER_KWH
    spent = kwh * prices.amount(prices.electricity_a_kwh)
    yield Share(name="electricity", amount=spent, computing=True)


def _notes(deployed: Deployed, plan: Schedule, machines: int) -> Iterator[str]:
    place, work = deployed.deployment, deployed.workload
    if isinstance(place, MeteredService):
        if not runs_it(work, place):
            yield (
                f"the price is of {place.model}, the share of correct answers of {work.name}: "
                "another model answers otherwise"
            )
        return
    if plan.capacity is not None and machines > 1:
        yield (
            f"one {place.name} cannot meet the volume: it answers {plan.capacity:,.0f} calls a "
            f"day at the stated utilisation, so {machines} are counted"
        )
    if not as_measured(deployed) and place.slowdown is not None:
        yield (
            f"a call is taken to last {place.slowdown.value:g} times what was measured "
            f"on {work.processor or 'another machine'}"
        )
    if plan.no_electricity is not None:
        yield f"without electricity: {plan.no_electricity}"
    drawn = power(deployed)
    if not isinstance(drawn, Absent):
        without = ", without idle power" if drawn.idle_w is None else ""
        yield f"electricity: {drawn.text}{without}"
