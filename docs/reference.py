"""The reference as Markdown: every command's help, every field of cards, suites and records."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

import msgspec

from steelyard.card import ModelCard, TaskCard
from steelyard.cli import COMMANDS
from steelyard.plan import Suite
from steelyard.record import RunFile

HEAD = """# Reference

Written by `docs/generate.py` from the program itself; do not edit. Types are JSON's. An unknown
field is an error everywhere.
"""


def text() -> str:
    """Return the whole reference."""
    return "\n".join([HEAD, "## Commands\n", *_commands(), *_types()])


def command_help(*arguments: str) -> str:
    """Return what `steelyard ... --help` prints, in 80 columns and without colour."""
    shown = subprocess.run(
        [sys.executable, "-m", "steelyard", *arguments, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "80"},
    ).stdout
    return shown.replace("python -m steelyard", "steelyard")


def _commands() -> Iterator[str]:
    for name in sorted(COMMANDS):
        yield f"### steelyard {name}\n\n```\n{command_help(name)}```\n"


def _types() -> Iterator[str]:
    told: set[str] = set()
    for title, kind in (
        ("Task card: `tasks/ID/card.toml`", TaskCard),
        ("Model card: `models/ID/card.toml`", ModelCard),
        ("Suite: `bench.toml`", Suite),
        ("Run file: `results/RUN/DEVICE.json`", RunFile),
    ):
        yield f"## {title}\n"
        for name, schema in _closest_first(msgspec.json.schema(kind), told):
            yield from _type(name, schema)


def _closest_first(schema: dict[str, Any], told: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the types of a schema that were not told, in the order in which a reader meets them."""
    types, waiting = schema["$defs"], [_referred(schema["$ref"])]
    while waiting:
        name = waiting.pop(0)
        if name in told:
            continue
        told.add(name)
        yield name, types[name]
        waiting += [_referred(found) for found in _references(types[name])]


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref":
                yield value
            else:
                yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _referred(reference: str) -> str:
    return reference.rpartition("/")[2]


def _type(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"### {name}\n\n{cleandoc(schema.get('description', ''))}\n"
    yield "| field | type | default |\n| :-- | :-- | :-- |"
    needed = set(schema.get("required", ()))
    for field, said in schema.get("properties", {}).items():
        default = "must be given" if field in needed else f"`{_json(said.get('default'))}`"
        yield f"| `{field}` | {_kind(said)} | {default} |"
    yield ""


def _kind(said: dict[str, Any]) -> str:
    """Say a field's type and bounds on one line of a table."""
    if "$ref" in said:
        name = _referred(said["$ref"])
        return f"[{name}](#{name.lower()})"
    if "anyOf" in said:
        return " or ".join(_kind(one) for one in said["anyOf"])
    if "enum" in said:
        return " or ".join(f"`{_json(one)}`" for one in said["enum"])
    if said.get("type") == "array":
        inner = said.get("items") or said.get("prefixItems") or {}
        shown = " and ".join(map(_kind, inner)) if isinstance(inner, list) else _kind(inner)
        return f"list of {shown}{_bounds(said)}"
    if said.get("type") == "object":
        inner = said.get("additionalProperties", {})
        return f"table of {_kind(inner) if isinstance(inner, dict) else 'anything'}"
    return f"{said.get('type', 'anything')}{_bounds(said)}"


def _bounds(said: dict[str, Any]) -> str:
    words = {
        "minimum": "at least {}",
        "exclusiveMinimum": "above {}",
        "maximum": "at most {}",
        "exclusiveMaximum": "below {}",
        "minItems": "{} or more",
        "maxItems": "{} at most",
        "minLength": "{} characters or more",
        "pattern": "matching `{}`",
    }
    found = [words[key].format(said[key]) for key in words if key in said]
    return f" ({', '.join(found)})".replace("|", "\\|") if found else ""


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
