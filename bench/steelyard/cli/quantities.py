"""Quantities as values of options: a number and its unit, strictly; shares and plain numbers."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

import click

from steelyard.errors import SteelyardError
from steelyard.units_in import parse_duration, parse_energy, parse_size

# click names the kind of value after the function that reads it, and says which option it is.


def duration(text: str) -> float:
    """Return nanoseconds; raise click.BadParameter for what is no duration."""
    return _read(text, parse_duration)


def energy(text: str) -> float:
    """Return joules; raise click.BadParameter for what is no energy."""
    return _read(text, parse_energy)


def size(text: str) -> float:
    """Return bytes; raise click.BadParameter for what is no size."""
    return _read(text, parse_size)


def share(text: str) -> float:
    """Return a number from 0 to 1; raise click.BadParameter for any other."""
    value = number(text)
    if not 0 <= value <= 1:
        raise click.BadParameter(f"{text!r} is no share; write a number from 0 to 1, such as 0.9")
    return value


def number(text: str) -> float:
    """Return a finite number; raise click.BadParameter for anything else."""
    try:
        value = float(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no number") from error
    if not isfinite(value):
        raise click.BadParameter(f"{text!r} is no finite number")
    return value


def _read(text: str, parse: Callable[[str], float]) -> float:
    try:
        return parse(text)
    except SteelyardError as error:
        raise click.BadParameter(str(error)) from error
