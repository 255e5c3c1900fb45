"""The costs of one task's models side by side, with what they rest on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from steelyard.cost.crossing import Curve, curves
from steelyard.cost.figures import Figure, Money, Rate
from steelyard.cost.placing import Deployed, deployments_for
from steelyard.cost.prices import Demand, MeteredService, OwnMachine, Prices
from steelyard.cost.sensitivity import Versus, versus
from steelyard.cost.totals import (
    CostOfCall,
    Priced,
    Total,
    cheapest,
    per_call,
    total,
)
from steelyard.cost.walking import Named, figures
from steelyard.cost.workload import Workload
from steelyard.energy import Absent


class Stated(Struct, frozen=True, kw_only=True):
    """A figure that results rest on, ready to print; `assumed` ones are no facts."""

    path: str
    text: str
    assumed: bool
    origin: str


class CostRow(Struct, frozen=True, kw_only=True):
    """A model in one place; `absent` says why there is no figure."""

    task: str
    name: str
    device: str
    role: str
    deployment: str | None = None
    place: str | None = None
    correct: float | None = None
    n: int | None = None
    total: Total | None = None
    amount: float | None = None
    per_1000: float | None = None
    per_1000_correct: float | None = None
    running_per_1000: float | None = None
    computing_share: float | None = None
    absent: str | None = None


class CostReport(Struct, frozen=True, kw_only=True):
    """What a task's models cost at a demand, and every small one against every large one.

    `curves` are by month, one for every row that has a figure.
    """

    task: str
    demand: Demand
    currency: str
    rows: tuple[CostRow, ...]
    versus: tuple[Versus, ...]
    curves: tuple[Curve, ...]
    stated: tuple[Stated, ...]


class Found(Struct, frozen=True, kw_only=True):
    """A record's name and its work, or why its cost cannot be told."""

    task: str
    name: str
    device: str
    role: str
    work: Workload | Absent


def report(
    found: Sequence[Found], prices: Prices, demand: Demand, where: str | None = None
) -> CostReport:
    """Return the costs of a task's models: each where it is cheapest, or in place `where`.

    `where` is a deployment's id, or "all" for every place a model can run in.
    """
    placed = [(one, _placed(one.work, prices, demand, where)) for one in found]
    priced = [one for _, several in placed for one in several if isinstance(one, Priced)]
    small = _one_each(priced, "specialist")
    large = _one_each(priced, "generalist")
    pairs = (versus(ours, theirs, prices, demand) for ours in small for theirs in large)
    used = tuple(one.deployed for one in priced)
    return CostReport(
        task=found[0].task,
        demand=demand,
        currency=prices.currency,
        rows=tuple(_row(one, place, prices) for one, several in placed for place in several),
        versus=tuple(pair for pair in pairs if isinstance(pair, Versus)),
        curves=curves(used, prices, demand),
        stated=assumptions(prices, used),
    )


def assumptions(prices: Prices, used: Sequence[Deployed] | None = None) -> tuple[Stated, ...]:
    """Return the figures that costs rest on; with `used`, those that these depend on."""
    return tuple(_stated(named, prices) for named in _used(prices, used))


def _used(prices: Prices, used: Sequence[Deployed] | None) -> Iterator[Named]:
    needed = {"rates", "labelling", "engineering.wage_an_hour"}
    for one in used or ():
        place = one.deployment
        needed |= {f"deployments.{place.id}", f"engineering.{one.workload.role}"}
        needed |= {"tokens"} if isinstance(place, MeteredService) else {"utilisation"}
        needed |= {"electricity_a_kwh"} if isinstance(place, OwnMachine) else {"network"}
    for named in figures(prices):
        keys = named.path.split(".")
        if used is None or {keys[0], ".".join(keys[:2])} & needed:
            yield named


def _stated(named: Named, prices: Prices) -> Stated:
    figure = named.figure
    low, high = figure.low, figure.high
    between = "" if low is None or high is None else f" ({low:g} to {high:g})"
    return Stated(
        path=named.path,
        text=f"{figure.value:g}{_unit(figure)}{between}{_converted(figure, prices)}",
        assumed=figure.assumed,
        origin=figure.origin,
    )


def _unit(figure: Figure) -> str:
    if isinstance(figure, Rate):
        return f" {figure.quote} for one {figure.base}"
    return f" {figure.currency}" if isinstance(figure, Money) else ""


def _converted(figure: Figure, prices: Prices) -> str:
    if not isinstance(figure, Money) or figure.currency == prices.currency:
        return ""
    return f" = {prices.amount(figure):.4g} {prices.currency}"


Place = Priced | Absent


def _placed(
    work: Workload | Absent, prices: Prices, demand: Demand, where: str | None
) -> tuple[Place, ...]:
    """Return a model where it costs least, or where it was put; or why not."""
    if isinstance(work, Absent):
        return (work,)
    if where is None:
        return (cheapest(work, prices, demand),)
    places = deployments_for(work, prices) if where == "all" else (prices.deployment(where),)
    return tuple(_put(Deployed(workload=work, deployment=one), prices, demand) for one in places)


def _put(deployed: Deployed, prices: Prices, demand: Demand) -> Place:
    sum_ = total(deployed, prices, demand)
    return sum_ if isinstance(sum_, Absent) else Priced(deployed=deployed, total=sum_)


def _one_each(priced: Sequence[Priced], role: str) -> tuple[Priced, ...]:
    """Return the cheapest place of each cell of a role."""
    best: dict[str, Priced] = {}
    for one in priced:
        cell = one.deployed.workload.cell.id
        cheaper = cell not in best or one.total.amount < best[cell].total.amount
        if one.deployed.workload.role == role and cheaper:
            best[cell] = one
    return tuple(best.values())


def _row(found: Found, place: Place, prices: Prices) -> CostRow:
    if isinstance(place, Absent):
        return CostRow(
            task=found.task,
            name=found.name,
            device=found.device,
            role=found.role,
            absent=place.reason,
        )
    running = per_call(place.deployed, prices)
    work, sum_ = place.deployed.workload, place.total
    return CostRow(
        task=found.task,
        name=found.name,
        device=found.device,
        role=found.role,
        deployment=place.deployed.deployment.id,
        place=place.deployed.deployment.name,
        correct=work.correct,
        n=work.n,
        total=sum_,
        amount=sum_.amount,
        per_1000=sum_.per_1000,
        per_1000_correct=sum_.per_1000_correct,
        running_per_1000=running.per_1000 if isinstance(running, CostOfCall) else None,
        computing_share=sum_.computing_share,
    )
