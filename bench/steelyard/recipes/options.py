"""Read a recipe's options from its card."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib.util import find_spec
from typing import TypeVar

from steelyard.api import BuildRequest, TrainingSet
from steelyard.card import Option
from steelyard.errors import PrepareError

T = TypeVar("T")


def read(options: Mapping[str, Option], name: str, default: T) -> T:
    """Return the option `name`, of the type of `default` (an int may stand for a float)."""
    value: Option | T | float = options.get(name, default)
    if isinstance(default, float) and type(value) is int:
        value = float(value)
    if type(value) is not type(default):
        raise PrepareError(
            f"options.{name}: expected {type(default).__name__}, "
            f"got {type(value).__name__} {value!r}; change it in the model's card"
        )
    return value


def unknown(options: Mapping[str, Option], known: Collection[str]) -> str | None:
    """Say which options nothing reads, or return None."""
    odd = sorted(set(options) - set(known))
    if not odd:
        return None
    return f"options: unknown {', '.join(odd)}; known: {', '.join(sorted(known)) or 'none'}"


def missing(packages: Collection[str]) -> str | None:
    """Say which import packages this machine lacks and how to get them, or return None."""
    lacking = [name for name in packages if find_spec(name) is None]
    if not lacking:
        return None
    return f"{', '.join(lacking)} not installed\ntry: pip install 'steelyard[export]'"


def training(request: BuildRequest, recipe: str) -> TrainingSet:
    """Return the request's task; raise PrepareError where there is none."""
    if request.training is None:
        raise PrepareError(f"recipe {recipe!r} trains: it needs a task")
    return request.training


def without_task(request: BuildRequest, recipe: str) -> str | None:
    """Say that a recipe which trains was given no task, or return None."""
    return None if request.training else f"recipe {recipe!r} trains: it needs a task"
