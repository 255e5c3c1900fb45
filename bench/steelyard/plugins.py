"""Find plugins by entry point; load one only when it is asked for."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from steelyard.errors import UnknownNameError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

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
    module, _, attribute = located.partition(":")
    return getattr(import_module(module), attribute)()


@cache
def source_sha256(located: str) -> str:
    """Hash the source of a plugin's module; of one of our own, that of all modules beside it.

    A plugin that somebody else installed is its one file, or the files of its package.
    """
    from importlib.util import find_spec

    module = located.partition(":")[0]
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise UnknownNameError(f"{module}: no such module; install what has it")
    file = Path(spec.origin)
    whole = module.startswith("steelyard.") or spec.submodule_search_locations is not None
    paths = sorted(file.parent.glob("*.py")) if whole else [file]
    lines = [f"{path.name} {sha256(path.read_bytes()).hexdigest()}" for path in paths]
    return sha256("\n".join(lines).encode()).hexdigest()


@cache
def _found(kind: Kind) -> dict[str, list[EntryPoint]]:
    # Late: a worker, which is told where its backend is, need not pay 40 ms for it.
    from importlib.metadata import entry_points

    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=f"steelyard.{kind}"):
        found.setdefault(point.name, []).append(point)
    return found


def _home(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "unknown distribution"
