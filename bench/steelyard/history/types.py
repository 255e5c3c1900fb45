"""A cell's history: its runs in the order of time, a series a quantity, the changes in each."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from steelyard.history.changes import Rule
from steelyard.record import Host, Record

SCHEMA = 1

Quantity = Literal["latency", "score", "memory", "size", "energy"]
QUANTITIES: tuple[Quantity, ...] = ("latency", "score", "memory", "size", "energy")

# What is called a change: the margins of the gate, the score's in its own units.
RULES: dict[Quantity, Rule] = {
    "latency": Rule(magnitude=0.05),
    "score": Rule(magnitude=0.01, ratio=False),
    "memory": Rule(magnitude=0.05),
    "size": Rule(magnitude=0.01),
    "energy": Rule(magnitude=0.05),
}


class Kept(Struct, frozen=True, kw_only=True):
    """A record of the cell, and what its run file says of the run."""

    run: str
    host: Host
    record: Record
    commit: str | None = None


class Environment(Struct, frozen=True, kw_only=True):
    """The software and settings that runs were made with; `key` names it, by its content."""

    key: str
    facts: tuple[tuple[str, str], ...]


class Address(Struct, frozen=True, kw_only=True):
    """Whose history is asked for: a cell, a device class, an environment; None: the only one.

    Without an environment the series goes on over all of them, and says where one follows another.
    """

    cell: str
    machine: str | None = None
    environment: str | None = None


class Moment(Struct, frozen=True, kw_only=True):
    """A run of the cell; `differs` names what is not as it was in the run before."""

    run: str
    started: str
    outcome: str
    environment: str
    commit: str | None = None
    differs: tuple[str, ...] = ()


class Change(Struct, frozen=True, kw_only=True):
    """A change point; `index` is of the moment that began the new level.

    `shift` is a share of what was before, or a difference for the score. `worse` is None where
    nothing says whether more of the score is better. The cause lies after `previous_commit`, up
    to `commit`, where these are known.
    """

    index: int
    before: float
    after: float
    shift: float
    worse: bool | None
    found_by: tuple[str, ...]
    commit: str | None = None
    previous_commit: str | None = None
    differs: tuple[str, ...] = ()


class Series(Struct, frozen=True, kw_only=True):
    """A quantity at each moment; a value that is None has its reason at the same place."""

    quantity: Quantity
    unit: str
    values: tuple[float | None, ...]
    reasons: tuple[str | None, ...]
    changes: tuple[Change, ...]


class History(Struct, frozen=True, kw_only=True):
    """What is known of a cell on one device class."""

    schema: int
    cell: str
    machine: str
    environments: tuple[Environment, ...]
    moments: tuple[Moment, ...]
    series: tuple[Series, ...]
    absent: tuple[tuple[str, str], ...] = ()
