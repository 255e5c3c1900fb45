"""Read quantities as people write them, and write sizes back; the report's units.py scales."""

from __future__ import annotations

import re
from decimal import Decimal

from steelyard.errors import SteelyardError

# Larger first, and powers of ten before powers of two: 512MB is 512,000,000 bytes (IEC 80000-13).
_FACTORS = {
    "TB": 10**12,
    "TiB": 2**40,
    "GB": 10**9,
    "GiB": 2**30,
    "MB": 10**6,
    "MiB": 2**20,
    "kB": 10**3,
    "KiB": 2**10,
    "B": 1,
}
_BY_LOWER = {unit.lower(): factor for unit, factor in _FACTORS.items()}
_SIZE = re.compile(r"\s*(\d{1,15}(?:\.\d{1,9})?)\s*([A-Za-z]*)\s*", re.ASCII)
_QUANTITY = re.compile(r"\s*(\d{1,15}(?:\.\d{1,12})?)\s*([A-Za-z\u00b5\u03bc]*)\s*", re.ASCII)
# Case counts: mJ and MJ are a thousand million apart. Both signs for micro: U+00B5 and U+03BC.
_DURATIONS = {"ns": 0, "us": 3, "\u00b5s": 3, "\u03bcs": 3, "ms": 6, "s": 9}
_ENERGIES = {"nJ": -9, "uJ": -6, "\u00b5J": -6, "\u03bcJ": -6, "mJ": -3, "J": 0, "kJ": 3}


class SizeError(SteelyardError):
    """A size that cannot be read; the message says how to write it."""


class QuantityError(SteelyardError):
    """A duration, an energy or a share that cannot be read; the message says how to write it."""


def parse_size(text: str) -> int:
    """Return the bytes of `512MB`, `1 GiB`, `1.5GB`; raise SizeError for what is no such size.

    A unit is asked for: what `512M` means differs by a twentieth from one program to the next.
    """
    found = _SIZE.fullmatch(text)
    factor = _BY_LOWER.get(found[2].lower()) if found else None
    if found is None or factor is None:
        raise SizeError(f"{text!r} is no size; write 512MB (10^6 bytes each) or 512MiB (2^20 each)")
    size = Decimal(found[1]) * factor
    if size != int(size) or size < 1:
        raise SizeError(f"{text!r} is no whole number of bytes above zero; write 512MB or 512MiB")
    return int(size)


def format_size(size: int) -> str:
    """Return a size that `parse_size` reads back, in the largest unit that divides it: `512MB`."""
    unit = next(unit for unit, factor in _FACTORS.items() if size % factor == 0)
    return f"{size // _FACTORS[unit]}{unit}"


def parse_duration(text: str) -> float:
    """Return the nanoseconds of `50ms`, `1.5 s`, `300us`; raise QuantityError for what is none."""
    return _scaled(text, _DURATIONS, "duration; write 50ms, 300us or 1.5s")


def parse_energy(text: str) -> float:
    """Return the joules of `10mJ`, `1.5 J`; raise QuantityError for what is no such energy."""
    return _scaled(text, _ENERGIES, "energy; write 10mJ, 300uJ or 1.5J")


def _scaled(text: str, powers: dict[str, int], what: str) -> float:
    """Return a number above zero in the base unit; the unit must be written."""
    found = _QUANTITY.fullmatch(text)
    power = powers.get(found[2]) if found else None
    if found is None or power is None:
        raise QuantityError(f"{text!r} is no {what}")
    value = Decimal(found[1]).scaleb(power)
    if value <= 0:
        raise QuantityError(f"{text!r} is not above zero")
    return float(value)
