"""Read a file of prices, strictly; the shipped one where none is given."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import msgspec
from msgspec import structs

from steelyard.cost.figures import Figure, Money
from steelyard.cost.prices import OwnMachine, Prices
from steelyard.cost.walking import figures
from steelyard.errors import PricesError
from steelyard.references import Board, Price, Range, boards

SHIPPED = "data/prices.toml"
_LARGEST = 1_000_000


def load_prices(path: Path | None = None) -> Prices:
    """Return the prices of a file, or the shipped ones; raise PricesError in one line."""
    if path is None:
        return read_prices(shipped_text(), SHIPPED)
    if path.is_dir():
        raise PricesError(f"{path}: is a folder; name a file")
    try:
        if path.stat().st_size > _LARGEST:
            raise PricesError(f"{path}: larger than {_LARGEST} bytes: not a file of prices")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PricesError(f"{path}: cannot be read: {error}") from error
    return read_prices(text, str(path))


def shipped_text() -> str:
    """Return the shipped file as it stands, comments and all, ready to be edited."""
    return (files("steelyard") / SHIPPED).read_text(encoding="utf-8")


def read_prices(text: str, where: str) -> Prices:
    """Return the prices that a TOML text declares; raise PricesError naming `where` and the key.

    What a deployment's `board` says is filled in from the boards' file.
    """
    try:
        declared = msgspec.toml.decode(text, type=Prices)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise PricesError(f"{where}: {_one_line(error)}") from error
    prices = structs.replace(
        declared,
        deployments=tuple(
            _of_board(one, f"{where}: deployments.{one.id}") if isinstance(one, OwnMachine) else one
            for one in declared.deployments
        ),
    )
    _check_currencies(prices, where)
    return prices


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _check_currencies(prices: Prices, where: str) -> None:
    for named in figures(prices):
        if isinstance(named.figure, Money):
            try:
                prices.amount(named.figure)
            except PricesError as error:
                raise PricesError(f"{where}: {named.path}: {error}") from error


def _of_board(machine: OwnMachine, where: str) -> OwnMachine:
    """Return the machine with its board's power, and its board's price where it states none."""
    if machine.board is None:
        if machine.price is None:
            raise PricesError(f"{where}: needs a `price`, or a `board` that has one")
        return machine
    board = _board(machine.board, where)
    price = machine.price or (_priced(board.price) if board.price else None)
    if price is None:
        raise PricesError(f"{where}: board '{board.id}' has no price: state a `price`")
    return structs.replace(
        machine,
        price=price,
        idle_w=machine.idle_w or _watts(board, board.idle_w),
        busy_w=machine.busy_w or _watts(board, board.busy_w),
    )


def _board(name: str, where: str) -> Board:
    for board in boards():
        if board.id == name:
            return board
    known = ", ".join(sorted(board.id for board in boards()))
    raise PricesError(f"{where}.board: no board '{name}'; known: {known}")


def _priced(price: Price) -> Money:
    return Money(
        value=price.amount, currency=price.currency, source=price.source, date=str(price.year)
    )


def _watts(board: Board, watts: Range) -> Figure:
    """Return a range as its middle, assumed: sources differ, and no meter was read."""
    return Figure(
        value=(watts.low + watts.high) / 2,
        low=watts.low,
        high=watts.high,
        assumed=True,
        reason=f"middle of what sources say: {board.origin}",
    )
