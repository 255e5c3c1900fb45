"""A model somewhere: how long a call takes there and what power it draws."""

from __future__ import annotations

from msgspec import Struct

from steelyard.cost.prices import (
    Deployment,
    MeteredService,
    OwnMachine,
    Prices,
    RentedMachine,
)
from steelyard.cost.workload import Workload
from steelyard.energy import Absent
from steelyard.record import EnergyReading
from steelyard.record_figures import MODELLED, tier
from steelyard.references import board_of


class Deployed(Struct, frozen=True, kw_only=True):
    """A model's work in one of the places where it can be done."""

    workload: Workload
    deployment: Deployment

    @property
    def name(self) -> str:
        """The model and the place, for people."""
        return f"{self.workload.name} on {self.deployment.name}"


class Power(Struct, frozen=True, kw_only=True):
    """Joules a call, and watts between calls; None where idle power is not known.

    `tier` is the reading's, 3 where it is a model's.
    """

    joules: float
    idle_w: float | None
    tier: int
    text: str

    @property
    def modelled(self) -> bool:
        """Whether no meter was read."""
        return self.tier == MODELLED


def deployments_for(workload: Workload, prices: Prices) -> tuple[Deployment, ...]:
    """Return the places that are for models of its role."""
    return tuple(one for one in prices.deployments if workload.role in one.roles)


def runs_it(workload: Workload, place: Deployment) -> bool:
    """Tell whether the measured model itself runs there, and not one that a service sells."""
    return not isinstance(place, MeteredService) or place.model == workload.cell.model


def refuse(deployed: Deployed) -> str | None:
    """Say why a model cannot run there, or return None."""
    work, place = deployed.workload, deployed.deployment
    if work.role not in place.roles:
        return f"{place.name} is for {' and '.join(place.roles)}, not for a {work.role}"
    if work.seconds is None and not isinstance(place, MeteredService):
        return work.no_seconds or "no latency was measured"
    needs = work.memory_bytes
    if place.memory_bytes is not None and needs is not None and needs > place.memory_bytes:
        return (
            f"{work.name} needs {needs / 1e9:.2g} GB, {place.name} has "
            f"{place.memory_bytes / 1e9:.2g} GB for it"
        )
    return None


def as_measured(deployed: Deployed) -> bool:
    """Tell whether seconds and joules are taken as they were measured."""
    place = deployed.deployment
    if isinstance(place, MeteredService):
        return False
    return place.slowdown is None or _same_board(deployed)


def seconds(deployed: Deployed) -> float:
    """Return how long the machine is at work for a call.

    Raises ValueError for a service, and for a model whose calls were not timed.
    """
    place, measured = deployed.deployment, deployed.workload.seconds
    if isinstance(place, MeteredService) or measured is None:
        raise ValueError(f"{deployed.name}: nobody says how long a call takes")
    factor = 1.0 if place.slowdown is None or _same_board(deployed) else place.slowdown.value
    return measured * factor


def answer_s(deployed: Deployed, prices: Prices) -> float | None:
    """Return how long the caller waits, network included; None where nobody has measured it."""
    place = deployed.deployment
    if isinstance(place, MeteredService):
        return None
    away = prices.network.round_trip_s.value if isinstance(place, RentedMachine) else 0.0
    return seconds(deployed) + away


def power(deployed: Deployed) -> Power | Absent:
    """Return the power of a machine of one's own: as it was read, else as a model says."""
    place = deployed.deployment
    if not isinstance(place, OwnMachine):
        return Absent(reason="electricity is in the price")
    reading = deployed.workload.reading
    if as_measured(deployed) and reading is not None and reading.gross_j is not None:
        return _as_read(reading, reading.gross_j, place)
    if place.busy_w is None or place.idle_w is None:
        return Absent(reason=f"no meter was read and the power of {place.name} is not stated")
    return Power(
        joules=place.busy_w.value * seconds(deployed),
        idle_w=min(place.idle_w.value, place.busy_w.value),
        tier=MODELLED,
        text=f"modelled from the power of {place.name}",
    )


def _as_read(reading: EnergyReading, joules: float, place: OwnMachine) -> Power:
    idle_w = reading.idle_watts
    if idle_w is None and place.idle_w is not None:
        idle_w = place.idle_w.value
    told = tier(reading)
    said = "modelled" if told == MODELLED else f"tier {told}"
    return Power(joules=joules, idle_w=idle_w, tier=told, text=f"{said}, by {reading.meter}")


def _same_board(deployed: Deployed) -> bool:
    place, measured = deployed.deployment, deployed.workload.board
    if not isinstance(place, OwnMachine) or place.board is None or measured is None:
        return False
    board = board_of(measured)
    return board is not None and board.id == place.board
