"""What `steelyard doctor` finds: a topic, how it stands, and what would help."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Topic = Literal[
    "identity", "surroundings", "latency", "memory", "energy", "temperature", "throttle"
]
# "advice": it works, and better once the advice is taken. "missing": this device cannot do it.
Status = Literal["good", "advice", "missing"]


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing found. `advice` is what to do, in words or as a command; None if nothing is."""

    topic: Topic
    status: Status
    what: str
    advice: str | None = None


def size(bytes_: float) -> str:
    """Return a size as a sentence needs it: `8.5 GB`, `14 MB`."""
    if bytes_ >= 0.9995e9:
        return f"{bytes_ / 1e9:.1f} GB"
    return f"{bytes_ / 1e6:.0f} MB"


def gigahertz(hertz: float) -> str:
    """Return a clock as a sentence needs it: `1.80 GHz`."""
    return f"{hertz / 1e9:.2f} GHz"
