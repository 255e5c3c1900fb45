"""The line protocol of external meters: what one line says."""

from __future__ import annotations

import re
from math import isfinite

import msgspec
from msgspec import Struct

from steelyard.errors import MeterError

LONGEST = 4096
_SPLIT = re.compile(r"\s*[,;]\s*|\s+")


class Line(Struct, frozen=True, kw_only=True):
    """Watts, and the seconds that the meter's own clock showed, where it says them."""

    power_w: float
    time_s: float | None = None


class _Json(Struct):
    power_w: float
    time_s: float | None = None


def parse(text: str, *, timed: bool) -> Line | None:
    """Return what a line says, None for an empty line or a comment.

    Plain: `SECONDS WATTS`, or `WATTS` alone if not `timed`; JSON: `{"time_s": 1.5, "power_w": 3}`.
    Raises MeterError with what is wrong with it.
    """
    text = text.strip()
    if not text or text.startswith("#"):
        return None
    if len(text) > LONGEST:
        raise MeterError(f"a line of {len(text)} characters")
    line = _json(text) if text.startswith("{") else _plain(text, timed=timed)
    if timed and line.time_s is None:
        raise MeterError(f"no time in {_shown(text)}")
    if not isfinite(line.power_w) or line.power_w < 0:
        raise MeterError(f"no power in {_shown(text)}")
    if line.time_s is not None and not isfinite(line.time_s):
        raise MeterError(f"no time in {_shown(text)}")
    return line


def _plain(text: str, *, timed: bool) -> Line:
    expected = 2 if timed else 1
    try:
        numbers = [_decimal(part) for part in _SPLIT.split(text)]
    except ValueError:
        numbers = []
    if len(numbers) != expected:
        form = "SECONDS WATTS" if timed else "WATTS"
        raise MeterError(f"expected {form}, got {_shown(text)}")
    return Line(power_w=numbers[-1], time_s=numbers[0] if timed else None)


def _decimal(part: str) -> float:
    # float() would take 1_000 too, which no meter means.
    if "_" in part:
        raise ValueError(part)
    return float(part)


def _json(text: str) -> Line:
    try:
        said = msgspec.json.decode(text, type=_Json)
    except msgspec.MsgspecError as error:
        raise MeterError(f"{error} in {_shown(text)}") from error
    return Line(power_w=said.power_w, time_s=said.time_s)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
