"""Every figure of a prices file by its path, and the file with one of them changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar, cast

from msgspec import Struct, structs

from steelyard.cost.figures import Figure
from steelyard.cost.prices import Prices

Declaring = TypeVar("Declaring", bound=Struct)


class Named(Struct, frozen=True, kw_only=True):
    """A figure and where it stands: `labelling.wage_an_hour`, `deployments.api.price`."""

    path: str
    figure: Figure


def figures(prices: Prices) -> tuple[Named, ...]:
    """Return all figures in the file's order."""
    return tuple(_walk(prices, ""))


def with_value(prices: Prices, path: str, value: float) -> Prices:
    """Return the prices with the figure at `path` worth `value`; its range goes with its origin.

    Raises KeyError where there is no figure at `path`.
    """
    return _replaced(prices, path.split("."), value)


def _walk(part: object, path: str) -> Iterator[Named]:
    if isinstance(part, Figure):
        yield Named(path=path, figure=part)
    elif isinstance(part, Struct):
        for name in part.__struct_fields__:
            yield from _walk(getattr(part, name), f"{path}.{name}" if path else name)
    elif isinstance(part, tuple):
        for one in cast("tuple[object, ...]", part):
            yield from _walk(one, f"{path}.{_key(one)}")


def _key(part: object) -> str:
    """Return what tells one row of a table from the others."""
    base, quote = getattr(part, "base", None), getattr(part, "quote", None)
    return f"{base}-{quote}" if base and quote else str(getattr(part, "id", part))


def _replaced(part: Declaring, path: list[str], value: float) -> Declaring:
    """Return a struct with the figure below it changed."""
    if not path:
        if not isinstance(part, Figure):
            raise KeyError(type(part).__name__)
        return cast("Declaring", structs.replace(part, value=value, low=None, high=None))
    if path[0] not in part.__struct_fields__:
        raise KeyError(path[0])
    inner = getattr(part, path[0])
    changed: object
    if isinstance(inner, tuple):
        rows = cast("tuple[Struct, ...]", inner)
        if path[1] not in map(_key, rows):
            raise KeyError(path[1])
        changed = tuple(
            _replaced(row, path[2:], value) if _key(row) == path[1] else row for row in rows
        )
    elif isinstance(inner, Struct):
        changed = _replaced(inner, path[1:], value)
    else:
        raise KeyError(path[0])
    return structs.replace(part, **{path[0]: changed})
