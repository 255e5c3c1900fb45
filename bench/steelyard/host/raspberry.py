"""What a Raspberry Pi's firmware answers through `vcgencmd`. Pure."""

from __future__ import annotations

import re

from msgspec import Struct

# Raspberry Pi documentation, vcgencmd get_throttled: live in bits 0 to 3, since boot in 16 to 19.
WORDS = ("under-voltage", "frequency capped", "throttled", "soft temperature limit")
SINCE_BOOT = 16


class Throttled(Struct, frozen=True, kw_only=True):
    """Why the clock is held back: now, and at any time since boot.

    The bits since boot never clear: a window is judged by the live ones.
    """

    now: tuple[str, ...]
    since_boot: tuple[str, ...]


def throttled(answer: str | None) -> Throttled | None:
    """Read `throttled=0x50005`; None for anything else.

    An unregistered command prints `error=1 error_msg="Command not registered"`, with exit 0.
    """
    found = re.fullmatch(r"throttled=0x([0-9a-fA-F]{1,8})", (answer or "").strip())
    if found is None:
        return None
    bits = int(found[1], 16)
    return Throttled(now=_words(bits), since_boot=_words(bits >> SINCE_BOOT))


def clock_hz(answer: str | None) -> int | None:
    """Read `frequency(48)=1500398464`, whose number in brackets differs by firmware."""
    found = re.fullmatch(r"frequency\(\d+\)=([0-9]{1,12})", (answer or "").strip())
    # Firmware that does not know the clock answers 0.
    return int(found[1]) or None if found else None


def _words(bits: int) -> tuple[str, ...]:
    return tuple(word for place, word in enumerate(WORDS) if bits >> place & 1)
