"""What was measured of a cell, under which limit, and what the machine did meanwhile."""

from __future__ import annotations

from typing import Literal

from msgspec import structs

from steelyard.errors import PackingError
from steelyard.record.base import Recorded
from steelyard.stats import unpack

Method = Literal["counter", "sampled", "modelled"]
Scope = Literal["call", "process", "package", "board", "wall"]


class Measurement(Recorded, frozen=True, kw_only=True):
    """All values of one quantity, in SI units or counts (`unit` says which).

    In a file, many integers are `packed` (steelyard.stats.pack); once read, `values` has them.
    """

    quantity: str
    unit: str
    method: Method
    scope: Scope
    values: tuple[int | float, ...] = ()
    packed: str | None = None
    resolution: float | None = None
    uncertainty: float | None = None

    def __post_init__(self) -> None:
        """Unpack; raise ValueError where that cannot be done."""
        if self.packed is None:
            return
        if self.values:
            raise ValueError("values are packed or plain, not both")
        try:
            structs.force_setattr(self, "values", unpack(self.packed))
        except PackingError as error:
            raise ValueError(str(error)) from error
        structs.force_setattr(self, "packed", None)


class WarmUp(Recorded, frozen=True, kw_only=True):
    """How the timed window was reached. One of `every` calls in it was timed."""

    calls: int
    seconds: float
    settled: bool
    every: int = 1


class MemoryLimit(Recorded, frozen=True, kw_only=True):
    """A budget of memory that was enforced, in bytes, and what was held to it.

    `cgroup`: what the worker and its children occupy, page cache included, without swap.
    `address-space`: what each process maps (RLIMIT_AS), resident or not: code, thread stacks,
    mapped weights and reserved arenas count. `instead_of_cgroup` says why it was no cgroup.
    """

    bytes: int
    kind: Literal["cgroup", "address-space"]
    instead_of_cgroup: str | None = None


class Evidence(Recorded, frozen=True, kw_only=True):
    """What the machine was read to do around one window; None: not told, and named in `untold`.

    Counters run from the last reading before the window to the first after it. Clocks are the
    fastest core's at each reading within. Loads are cores' worth of processor time: `foreign_load`
    by all but the worker and its parent, `stolen_load` by a hypervisor, `watch_load` by reading.
    `throttled` holds words that were live at some reading; `broken` makes the window invalid.
    """

    window: str
    seconds: float
    readings: int
    lowest_temperature_c: float | None = None
    highest_temperature_c: float | None = None
    lowest_clock_hz: int | None = None
    highest_clock_hz: int | None = None
    governor: str | None = None
    throttled: tuple[str, ...] | None = None
    throttle_events: int | None = None
    swapped_pages: int | None = None
    major_faults: int | None = None
    oom_kills: int | None = None
    foreign_load: float | None = None
    stolen_load: float | None = None
    watch_load: float | None = None
    broken: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
