"""Recipes' versions and what their sources hash to: `python -m tests.recipe_lock` writes them anew.

An artefact in a cache is found again by its recipe's version, so a recipe that makes other
artefacts under the same version would leave every cache with stale ones.
"""

from __future__ import annotations

import ast
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import msgspec

from steelyard import plugins

FILE = Path(__file__).with_name("recipe_lock.json")
_PACKAGE = "steelyard.recipes"

Shape: TypeAlias = "str | list[Shape]"


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe as it was when the lock was written."""

    version: int
    sha256: str


def found() -> dict[str, Locked]:
    """Return the shipped recipes as they are, by name."""
    located = {name: plugins.locate("recipes", name) for name in plugins.names("recipes")}
    return {
        name: Locked(
            version=plugins.instantiate(where).version, sha256=_digest(where.partition(":")[0])
        )
        for name, where in located.items()
        if where.startswith(f"{_PACKAGE}.")
    }


def kept() -> dict[str, Locked]:
    """Return what the lock says."""
    return msgspec.json.decode(FILE.read_bytes(), type=dict[str, Locked])


def shape(source: str) -> Shape:
    """Return a module's syntax without comments, docstrings and places.

    What is empty is left out, as later Pythons know more parts that are mostly so.
    """
    return _shape(ast.parse(source))


def _digest(module: str) -> str:
    shapes = [[name, shape(_source(name))] for name in sorted(_modules(module, set()))]
    return sha256(msgspec.json.encode(shapes)).hexdigest()


def _modules(module: str, seen: set[str]) -> set[str]:
    """Return a recipe's module and those of the package that it imports, in turn."""
    if module in seen:
        return seen
    seen.add(module)
    for node in ast.walk(ast.parse(_source(module))):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            named = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for one in named:
            if one.startswith(f"{_PACKAGE}.") and _is_module(one):
                _modules(one, seen)
    return seen


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _source(module: str) -> str:
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text(encoding="utf-8")


def _shape(node: ast.AST) -> Shape:
    parts: list[Shape] = [type(node).__name__]
    for name, value in ast.iter_fields(node):
        told = value[1:] if name == "body" and _has_docstring(node) else value
        if told is not None and told != [] and name not in {"ctx", "kind", "type_ignores"}:
            parts.append([name, _value(told)])
    return parts


def _value(value: object) -> Shape:
    if isinstance(value, ast.AST):
        return _shape(value)
    if isinstance(value, list):
        return [_value(one) for one in value]
    return repr(value)


def _has_docstring(node: ast.AST) -> bool:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None


if __name__ == "__main__":
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(found(), order="sorted")) + b"\n")
