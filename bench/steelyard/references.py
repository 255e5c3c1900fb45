"""Published figures, each with its source and date: boards' power and price, grids, tariffs."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from steelyard.errors import CardError, UnknownNameError

Positive = Annotated[float, Meta(gt=0)]
Text = Annotated[str, Meta(min_length=1)]


class Declared(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all figures share: frozen, strictly decoded."""


class Range(Declared, frozen=True, kw_only=True):
    """A range of watts: the least and the most that sources say."""

    low: Positive
    high: Positive

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")


class Price(Declared, frozen=True, kw_only=True):
    """What a device cost, in its currency."""

    amount: Positive
    currency: Text
    year: int
    source: Text


class Board(Declared, frozen=True, kw_only=True):
    """A board's power, idle and with all cores at work, by the beginning of its model's name."""

    id: Text
    idle_w: Range
    busy_w: Range
    origin: Text
    models: tuple[str, ...] = ()
    price: Price | None = None

    def __post_init__(self) -> None:
        if self.busy_w.low < self.idle_w.low or self.busy_w.high < self.idle_w.high:
            raise ValueError(f"{self.id}: busy takes less than idle")


class Grid(Declared, frozen=True, kw_only=True):
    """What a region's electricity emits over its life cycle, in g of CO2 equivalent a kWh."""

    region: Text
    name: Text
    year: int
    g_per_kwh: Positive
    source: Text


class Tariff(Declared, frozen=True, kw_only=True):
    """What a region's electricity costs, in its currency a kWh."""

    region: Text
    period: Text
    currency: Text
    per_kwh: Positive
    source: Text


class Use(Declared, frozen=True, kw_only=True):
    """How long a device lives and which share of that time it works."""

    life_years: Positive
    share: Annotated[float, Meta(gt=0, le=1)]
    source: Text


class _Boards(Declared, frozen=True, kw_only=True):
    use: Use
    boards: tuple[Board, ...]


class _Grids(Declared, frozen=True, kw_only=True):
    grids: tuple[Grid, ...]


class _Tariffs(Declared, frozen=True, kw_only=True):
    tariffs: tuple[Tariff, ...]


Table = TypeVar("Table", _Boards, _Grids, _Tariffs)
Row = TypeVar("Row", Grid, Tariff)


def boards() -> tuple[Board, ...]:
    """Return the boards whose power is known."""
    return _boards().boards


def usual_use() -> Use:
    """Return the use that costs are told for where none is stated."""
    return _boards().use


def grids() -> tuple[Grid, ...]:
    """Return the grids, one a region."""
    return _grids().grids


def tariffs() -> tuple[Tariff, ...]:
    """Return the tariffs, one a region."""
    return _tariffs().tariffs


def board_of(model: str) -> Board | None:
    """Return the board whose name `model` (/proc/device-tree/model) begins with; longest wins."""
    found = [
        (len(begin), board)
        for board in boards()
        for begin in board.models
        if model.startswith(begin)
    ]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def read_board(text: str, where: str) -> Board:
    """Return the board that a TOML text declares; raise CardError naming `where` and the key."""
    return _decoded(text, Board, where)


def grid(region: str) -> Grid:
    """Return the grid of a region (ISO 3166 alpha-3, EU27, WORLD); raises UnknownNameError."""
    return _named(grids(), region, "grid")


def tariff(region: str) -> Tariff:
    """Return the tariff of a region; raises UnknownNameError."""
    return _named(tariffs(), region, "tariff")


def _named(rows: tuple[Row, ...], region: str, what: str) -> Row:
    for row in rows:
        if row.region == region.upper():
            return row
    known = ", ".join(sorted(row.region for row in rows))
    raise UnknownNameError(f"no {what} for region '{region}'; known: {known}")


Decoded = TypeVar("Decoded")


def _decoded(text: str, kind: type[Decoded], where: str) -> Decoded:
    try:
        return msgspec.toml.decode(text, type=kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise CardError(f"{where}: {error}") from error


def _shipped(name: str, kind: type[Table]) -> Table:
    path = files("steelyard") / "data" / name
    return _decoded(path.read_text(encoding="utf-8"), kind, f"data/{name}")


@cache
def _boards() -> _Boards:
    return _shipped("boards.toml", _Boards)


@cache
def _grids() -> _Grids:
    return _shipped("grids.toml", _Grids)


@cache
def _tariffs() -> _Tariffs:
    return _shipped("tariffs.toml", _Tariffs)
