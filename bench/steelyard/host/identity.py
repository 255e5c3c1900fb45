"""What this device is: processor, memory, system, software. Facts that were read, never guessed."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.host import clocks, counters, jetson, processor, software, surroundings
from steelyard.host.machine import Machine

if TYPE_CHECKING:
    from steelyard.record import Host


def identify(root: Path = Path("/")) -> Host:
    """Return this machine's identity; `root` lets tests stand in a recorded tree."""
    return identity(Machine(root=root))


def identity(machine: Machine) -> Host:
    """Return the identity of `machine`; the Python and its packages are always this one's."""
    # Late: meters read machines too, and need no records.
    from steelyard.record import Host

    said = processor.parse(machine.read("proc/cpuinfo") or "")
    packages = software.installed()
    hashes = {name: software.wheel_hash(package) for name, package in packages.items()}
    return Host(
        machine=machine.userland.machine or "unknown",
        cpu=board(machine) or said.model or said.core or platform.processor() or "unknown",
        cores=machine.userland.cores or cores(),
        memory_bytes=memory_bytes(machine),
        system=f"{platform.system()} {_release(machine)}",
        python=platform.python_version(),
        flags=said.flags,
        virtual=surroundings.virtual(machine),
        packages={name: package.version for name, package in packages.items()},
        board=board(machine),
        core=said.core,
        governor=_governor(machine),
        turbo=clocks.turbo(machine),
        microcode=said.microcode,
        page_size=machine.userland.page_size,
        kernel=_kernel(machine),
        distribution=_distribution(machine),
        container=surroundings.container(machine),
        emulated=surroundings.emulated(machine),
        power_mode=power_mode(machine),
        l4t=jetson.release(machine.read("etc/nv_tegra_release")),
        wheel_hashes={name: found for name, found in hashes.items() if found},
    )


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def out_of_memory_kills(root: Path = Path("/")) -> int | None:
    """Return how often the kernel has killed for memory since boot; None where it does not say."""
    return counters.named(Machine(root=root).read("proc/vmstat")).get("oom_kill")


def board(machine: Machine) -> str | None:
    """Return the board's name from its device tree, whose strings end in NUL."""
    return (machine.read("proc/device-tree/model") or "").rstrip("\0\n") or None


def power_mode(machine: Machine) -> str | None:
    """Return the power mode of a Jetson; None on other devices and where it was never set."""
    if machine.read("etc/nv_tegra_release") is None:
        return None
    return jetson.power_mode(machine.ask(("nvpmodel", "-q")))


def memory_bytes(machine: Machine) -> int:
    """Return the memory that the kernel manages."""
    said = counters.kib(machine.read("proc/meminfo"), "MemTotal")
    if said is not None:
        return said
    import psutil  # late: seldom needed, and the worker imports us

    return psutil.virtual_memory().total


def _governor(machine: Machine) -> str | None:
    kinds = dict.fromkeys(policy.governor for policy in clocks.policies(machine))
    return " + ".join(kind for kind in kinds if kind) or None


def _release(machine: Machine) -> str:
    return (machine.read("proc/sys/kernel/osrelease") or platform.release()).strip()


def _kernel(machine: Machine) -> str | None:
    """Return the kernel's release and build, such as `6.6.51-v8 #1 SMP PREEMPT_RT ...`."""
    build = machine.read("proc/sys/kernel/version")
    return f"{_release(machine)} {build.strip()}" if build else None


def _distribution(machine: Machine) -> str | None:
    for line in (machine.read("etc/os-release") or "").splitlines():
        key, _, value = line.partition("=")
        if key == "PRETTY_NAME":
            return value.strip().strip("\"'") or None
    return None
