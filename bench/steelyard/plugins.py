"""Find plugins by entry point; load one only when it is asked for."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from steelyard.errors import UnknownNameError

Kind = Literal["backends", "meters", "scorers", "readers", "recipes"]


def names(kind: Kind) -> list[str]:
    """Return the names installed under `kind`, sorted."""
    return sorted(_found(kind))


def locate(kind: Kind, name: str) -> str:
    """Return `module:attribute` of a plugin without importing it.

    Raises UnknownNameError if no plugin, or more than one, has the name.
    """
    found = _found(kind).get(name)
    if not found:
        installed = ", ".join(names(kind)) or "none"
        raise UnknownNameError(f"no {kind[:-1]} '{name}'; installed: {installed}")
    if len({point.value for point in found}) > 1:
        homes = " and ".join(sorted(f"{_home(p)} ({p.value})" for p in found))
        raise UnknownNameError(f"{kind[:-1]} '{name}' is defined twice: {homes}; uninstall one")
    return found[0].value


def load(kind: Kind, name: str) -> Any:
    """Import the plugin and return an instance of it."""
    return instantiate(locate(kind, name))


def instantiate(located: str) -> Any:
    """Return an instance of the class at `module:attribute`."""
    return EntryPoint(name="", value=located, group="").load()()


@cache
def _found(kind: Kind) -> dict[str, list[EntryPoint]]:
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=f"steelyard.{kind}"):
        found.setdefault(point.name, []).append(point)
    return found


def _home(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "unknown distribution"
