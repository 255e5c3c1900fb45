"""Scale SI values to what people read; nothing else in the project scales."""

from __future__ import annotations

import unicodedata

_DURATIONS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))
_SIZES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))
_ENERGIES = ((1e3, "kJ"), (1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ"), (1e-9, "nJ"))
_COUNTS = ((1e9, "B"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def duration(nanoseconds: float) -> str:
    """Return a duration to three digits: `3.42 ms`."""
    return _scaled(nanoseconds, _DURATIONS)


def duration_interval(value: float, low: float, high: float) -> str:
    """Return a duration in nanoseconds with its interval in one unit: `3.42 [3.40,3.45] ms`."""
    factor, unit = _unit(value, _DURATIONS)
    middle, below, above = (_digits(x / factor) for x in (value, low, high))
    return f"{middle} [{below},{above}] {unit}"


def size(bytes_: float) -> str:
    """Return a size to three digits, in powers of ten: `22.9 MB`."""
    return _scaled(bytes_, _SIZES)


def count(number: float) -> str:
    """Return a number of parameters to three digits: `22.7 M`."""
    return _scaled(number, _COUNTS)


def energy(joules: float, expanded: float | None = None) -> str:
    """Return an energy to three digits, with its uncertainty in the same unit: `12.3 ±0.4 mJ`."""
    factor, unit = _unit(joules, _ENERGIES)
    value = _digits(joules / factor)
    return (
        f"{value} {unit}" if expanded is None else f"{value} ±{_digits(expanded / factor)} {unit}"
    )


def clean(text: str) -> str:
    """Return foreign text on one line, with what would steer a terminal made visible."""
    return "".join(_visible(character) for character in " ".join(text.split()))


def in_one_line(text: str) -> str:
    """Return a message of several lines as one: `what (why; why). Try: what to do`."""
    what, *more = [line.strip() for line in text.splitlines() if line.strip()] or [""]
    whys = [line for line in more if not line.startswith("try: ")]
    tries = [line.removeprefix("try: ") for line in more if line.startswith("try: ")]
    why = f" ({'; '.join(whys)})" if whys else ""
    return f"{what}{why}{''.join(f'. Try: {one}' for one in tries)}"


def _visible(character: str) -> str:
    # Controls, direction overrides, surrogates, private use, unassigned.
    if unicodedata.category(character).startswith("C"):
        return character.encode("unicode_escape").decode("ascii")
    return character


def _scaled(value: float, units: tuple[tuple[float, str], ...]) -> str:
    factor, unit = _unit(value, units)
    return f"{_digits(value / factor)} {unit}".rstrip()


def _unit(value: float, units: tuple[tuple[float, str], ...]) -> tuple[float, str]:
    # What rounds up to the next unit is written in it: 999.6 us is 1.00 ms.
    return next((unit for unit in units if value >= unit[0] * 0.9995), units[-1])


def _digits(value: float) -> str:
    """Return three significant digits without an exponent; whole numbers below 100 stay whole."""
    if value >= 99.95 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
