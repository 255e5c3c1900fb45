"""Device classes and environments: what figures of two runs must share to be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from steelyard.history.types import Environment
from steelyard.record import Host

KEY_DIGITS = 8


def machine(host: Host) -> str:
    """Return the device class: as the gate calls a machine, and whether it was emulated."""
    emulated = ", emulated" if host.emulated else ""
    return f"{host.board or host.cpu}, {host.cores} cores{emulated}"


def environment(host: Host) -> Environment:
    """Return a run's software and settings; steelyard's own version is that of its package."""
    facts = tuple(sorted(_facts(host)))
    text = "\n".join(f"{name} {value}" for name, value in facts)
    return Environment(key=hashlib.sha256(text.encode()).hexdigest()[:KEY_DIGITS], facts=facts)


def differing(before: Environment, after: Environment) -> tuple[str, ...]:
    """Return what differs in words: `onnxruntime 1.31.0 -> 1.32.0`."""
    ours, theirs = dict(after.facts), dict(before.facts)
    names = sorted({*ours, *theirs})
    return tuple(
        f"{name} {theirs.get(name, 'none')} -> {ours.get(name, 'none')}"
        for name in names
        if ours.get(name) != theirs.get(name)
    )


def _facts(host: Host) -> Iterator[tuple[str, str]]:
    yield "python", host.python
    yield from host.packages.items()
    settings = {
        "kernel": host.kernel, "governor": host.governor, "power mode": host.power_mode,
        "microcode": host.microcode, "L4T": host.l4t, "container": host.container,
    }  # fmt: skip
    yield from ((name, value) for name, value in settings.items() if value is not None)
    if host.turbo is not None:
        yield "turbo", "on" if host.turbo else "off"
