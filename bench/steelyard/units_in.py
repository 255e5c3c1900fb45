"""Read sizes as people write them, and write them back; units.py of the report only scales."""

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


class SizeError(SteelyardError):
    """A size that cannot be read; the message says how to write it."""


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
