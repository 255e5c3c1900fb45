"""How power and energy are recorded."""

from __future__ import annotations

from typing import Literal, Protocol

from msgspec import Struct

MeterMethod = Literal["counter", "sampled", "modelled"]
MeterScope = Literal["process", "package", "board", "wall"]
# What a meter's figure holds; "board" holds all the others.
Covered = Literal["cpu", "dram", "gpu", "board"]
ChannelRole = Literal["counted", "shown", "low", "high"]


class Channel(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one sensor said over time.

    `unit` "W" is power as it was read; "J" is energy since the first reading, unwrapped and never
    falling. `times_ns` are CLOCK_MONOTONIC and rise strictly. Counted channels are added up; a
    shown one is part of a counted one or overlaps it; "low" and "high" bound a modelled energy.
    `resolution` is the sensor's smallest step in `unit`, absent where it is not known.
    """

    name: str
    unit: Literal["W", "J"]
    times_ns: tuple[int, ...]
    values: tuple[float, ...]
    role: ChannelRole = "counted"
    resolution: float | None = None


class Trace(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a meter recorded between start and stop.

    `gain_uncertainty` is the standard (one sigma) uncertainty of a reading as a fraction of it.
    `update_interval_s` is how often a new value can be seen, the slower of sensor and reading
    loop; where it is None only changes of the value tell. `faults` name what went wrong on the
    way: a trace may end early, and then says why.
    """

    meter: str
    method: MeterMethod
    scope: MeterScope
    covers: tuple[Covered, ...]
    channels: tuple[Channel, ...]
    gain_uncertainty: float
    update_interval_s: float | None = None
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


class Meter(Protocol):
    """Records power or energy while others work.

    Constructed with a `steelyard.host.machine.Machine`; importing its module and constructing it
    are cheap and read nothing. It reads on a thread or in a process of its own and blocks between
    readings. The first reading is taken before `start` returns and the last after `stop` is
    called, so that the time between lies inside the trace.
    """

    name: str

    def refuse(self) -> str | None:
        """Say why this machine cannot be read and what to do, or return None."""
        ...

    def start(self) -> None:
        """Begin to record. A sensor that fails is told in the trace, not raised here."""
        ...

    def stop(self) -> Trace:
        """End the recording; raise MeterError if it was never started."""
        ...
