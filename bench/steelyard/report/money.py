"""Sums of money and volumes of calls as text: three digits, separators, no exponent."""

from __future__ import annotations


def money(amount: float) -> str:
    """Return a sum to three digits: `7,029`, `1.28`, `0.0000318`."""
    if amount >= 100:
        return f"{amount:,.0f}"
    text = f"{amount:.3g}"
    return text if "e" not in text else f"{amount:.{_decimals(amount)}f}"


def volume_asked(calls_a_day: float) -> str:
    """Return a volume as it was asked for: `5,000`, `0.5`."""
    return f"{calls_a_day:,.10g}"


def _decimals(amount: float) -> int:
    return 2 - int(f"{amount:e}".split("e")[1])
