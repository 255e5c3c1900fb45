"""Hold a worker to a budget of memory: in a cgroup of its own, else by its address space."""

from __future__ import annotations

import contextlib
import resource
import sys
from collections.abc import Callable, Generator
from pathlib import Path

from msgspec import Struct

from steelyard import cgroups
from steelyard.cgroups import Hands, Unavailable, Usage
from steelyard.errors import Refusal
from steelyard.footprint import MemoryReading
from steelyard.host.machine import Machine
from steelyard.record import MemoryLimit
from steelyard.starved import starvation
from steelyard.units_in import format_size

# Python alone maps 12 MB before it imports anything; less ends in the dynamic linker.
LEAST = 16_000_000
LAUNCHER = (sys.executable, "-I", "-S", str(Path(__file__).with_name("limited.py")))


def ceiling() -> int | None:
    """Return the hard limit on address space that this process is itself under, if any."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    return None if hard == resource.RLIM_INFINITY else hard


class Ground(Struct, frozen=True, kw_only=True):
    """What limits stand on: the device, its cgroups, our own ulimit."""

    machine: Machine = Machine()
    hands: Hands = Hands()
    ceiling: Callable[[], int | None] = ceiling


HERE = Ground()


class Hold(Struct, frozen=True, kw_only=True):
    """A limit in force, or none, around one worker."""

    limit: MemoryLimit | None = None
    group: Path | None = None

    def command(self, program: tuple[str, ...]) -> tuple[str, ...]:
        """Return the command that starts `program` within the limit."""
        if self.limit is None:
            return program
        if self.group is not None:
            return (*LAUNCHER, "cgroup", str(self.group / "cgroup.procs"), *program)
        return (*LAUNCHER, "address-space", str(self.limit.bytes), *program)

    def usage(self) -> Usage | None:
        """Return what the worker's cgroup has used; None where it has none of its own."""
        return None if self.group is None else cgroups.usage(self.group)


def choose(budget: int, ground: Ground = HERE) -> MemoryLimit:
    """Return how this machine can hold a worker to `budget` bytes; raise Refusal if it cannot."""
    if budget < LEAST:
        raise Refusal(
            f"no limit of {format_size(budget)}: no worker starts in less than {format_size(LEAST)}"
        )
    place = cgroups.home(ground.machine, ground.hands)
    if isinstance(place, Path):
        return MemoryLimit(bytes=budget, kind="cgroup")
    own = ground.ceiling()
    if own is not None and own < budget:
        raise Refusal(
            f"no limit of {format_size(budget)}: this process is held to {format_size(own)} "
            f"itself (ulimit -v), and {place.reason}; raise ulimit -v"
        )
    return MemoryLimit(bytes=budget, kind="address-space", instead_of_cgroup=place.reason)


@contextlib.contextmanager
def held(limit: MemoryLimit | None, ground: Ground = HERE) -> Generator[Hold, None, None]:
    """Put a limit in force for one worker, which must have ended when the block does.

    A cgroup is removed with whatever is left in it. Raises Refusal if it cannot be made.
    """
    if limit is None or limit.kind == "address-space":
        yield Hold(limit=limit)
        return
    place = cgroups.home(ground.machine, ground.hands)
    if isinstance(place, Unavailable):
        raise Refusal(f"no limit of {format_size(limit.bytes)}: {place.reason}")
    group = cgroups.make(place, limit.bytes, ground.machine, ground.hands)
    try:
        yield Hold(limit=limit, group=group)
    finally:
        cgroups.remove(group, ground.hands)


def lack(hold: Hold, said: str) -> str | None:
    """Return how a worker that ended badly ran out of memory; None where that is not why.

    `said` is what it wrote to the standard error, or the reason of its `Failed` message. To be
    asked within `held`, as long as the cgroup can be read.
    """
    used = hold.usage()
    if used is not None and used.kills:
        peak = "" if used.peak is None else f", peak {megabytes(used.peak)}"
        return f"did not fit in {described(hold.limit)}: killed by the kernel{peak}"
    by_address = hold.limit is not None and hold.limit.kind == "address-space"
    line = starvation(said, address_space_limited=by_address)
    if line is None or hold.limit is None:
        return line
    return f"did not fit in {described(hold.limit)}: {line}"


def described(limit: MemoryLimit | None) -> str:
    """Say what a limit limits, ready to print."""
    if limit is None:
        return "this machine's memory"
    if limit.kind == "cgroup":
        return f"{format_size(limit.bytes)} (cgroup memory.max, without swap)"
    return f"{format_size(limit.bytes)} of address space (RLIMIT_AS)"


def caution(limit: MemoryLimit, peak: int | None, reading: MemoryReading | None) -> str | None:
    """Say what a limit on address space cannot tell, with its figures; None for a cgroup.

    Code, thread stacks, mapped weights and reserved arenas count whether resident or not.
    numpy and onnxruntime alone, imported on two cores: 193 MB mapped, 47 MB resident; OpenBLAS
    reserves 41 MB more a core.
    """
    if limit.kind == "cgroup":
        return None
    mapped = reading.address_space_peak if reading else None
    here = (
        f", here {megabytes(mapped)} mapped for {megabytes(peak)} resident"
        if mapped is not None and peak is not None
        else ""
    )
    return (
        f"held to {described(limit)}, not to resident memory: what is mapped counts, used or "
        f"not{here}; no cgroup: {limit.instead_of_cgroup or 'no reason was kept'}"
    )


def constrained(device: str, limit: MemoryLimit) -> str:
    """Return the name of a device held to a limit: `cpu-1t-512MB` is not `cpu-1t`."""
    return f"{device}{_suffix(limit)}"


def unconstrained(device: str, limit: MemoryLimit | None) -> str:
    """Return the name of a device without its limit."""
    return device if limit is None else device.removesuffix(_suffix(limit))


def megabytes(size: int) -> str:
    """Return bytes in whole megabytes, for messages."""
    return f"{size / 1e6:.0f} MB"


def _suffix(limit: MemoryLimit) -> str:
    return f"-{format_size(limit.bytes)}"
