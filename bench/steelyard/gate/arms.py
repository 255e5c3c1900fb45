"""What a person writes for an arm of the gate."""

from __future__ import annotations

import json
import re
from typing import Literal

from msgspec import Struct, field

from steelyard.card import Option, Options
from steelyard.errors import OptionError

Place = Literal["here", "environment", "revision"]

ENVIRONMENT, REVISION = "env:", "rev:"
SHAPES = (
    "expected MODEL@VARIANT, MODEL@VARIANT?option=value, path:DIR, env:PYTHON, rev:REF, or a model "
    "in one of these, as in 'MODEL@VARIANT in rev:main'"
)
_PLACED = re.compile(r"^(?:(?P<model>.+) in )?(?P<where>(?:env|rev):.*)$")
_NAME = re.compile(r"^[a-z_]\w*$")
# What onnxruntime calls the number that a device has in its name here.
THREADS = ("threads", "intra_op_num_threads")


class Arm(Struct, frozen=True, kw_only=True):
    """One side of a gate: a model, its session options, and where its worker runs.

    `place` is a Python of another environment, or a git revision whose own is built.
    """

    text: str
    model: str
    options: Options = field(default_factory=dict)
    threads: int | None = None
    where: Place = "here"
    place: str = ""


def parse(text: str, model: str | None = None) -> Arm:
    """Return the arm that `text` stands for; `model` is that of arms that name none.

    Raises OptionError for one that cannot be meant.
    """
    placed = _PLACED.match(text)
    named = (placed["model"] if placed else text) or ""
    named, _, query = named.partition("?")
    where, place = _where(placed["where"] if placed else "", text)
    options = _options(query, text)
    threads = _threads(options, text)
    if not (named or model):
        raise OptionError(f"{text}: names no model; add --model MODEL@VARIANT, or: {SHAPES}")
    return Arm(
        text=text, model=named or model or "", options=options, threads=threads, where=where,
        place=place,
    )  # fmt: skip


def _where(placed: str, text: str) -> tuple[Place, str]:
    if not placed:
        return "here", ""
    place = placed[len(ENVIRONMENT) :]
    if not place or place.startswith("-"):
        raise OptionError(f"{text}: {SHAPES}")
    return ("environment" if placed.startswith(ENVIRONMENT) else "revision"), place


def _options(query: str, text: str) -> Options:
    found: Options = {}
    for part in query.split("&") if query else ():
        name, equals, value = part.partition("=")
        if not _NAME.match(name) or not equals or not value:
            raise OptionError(f"{text}: expected ?option=value&option=value, got {part!r}")
        if name in found:
            raise OptionError(f"{text}: option {name} stands twice")
        found[name] = _value(value)
    return found


def _value(text: str) -> Option:
    """Return a number or a truth value as such, all else as text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float) else text


def _threads(options: Options, text: str) -> int | None:
    """Take the number of threads out of the options: it is the device's, not the session's."""
    given = [options.pop(name) for name in THREADS if name in options]
    if not given:
        return None
    count = given[0]
    if len(given) > 1 or not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise OptionError(f"{text}: expected one number of threads, 1 or more")
    return count
