"""Runs -> a section a device: what it is, what the watch saw, what its records warn of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from steelyard.record import Evidence, Host, RunFile
from steelyard.report import units
from steelyard.report.html.view import Device


def devices(runs: Sequence[RunFile]) -> tuple[Device, ...]:
    """Return a section for each device on each host that it was measured on."""
    found: dict[tuple[str, bytes], list[RunFile]] = {}
    for run in runs:
        found.setdefault((run.device, repr(run.host).encode()), []).append(run)
    return tuple(
        _device(device, own, f"device-{index}")
        for index, ((device, _), own) in enumerate(found.items(), 1)
    )


def _device(name: str, runs: Sequence[RunFile], anchor: str) -> Device:
    records = [record for run in runs for record in run.records]
    warnings = dict.fromkeys(
        f"{record.cell.id}: {warning}" for record in records for warning in record.warnings
    )
    return Device(
        name=name,
        anchor=anchor,
        facts=tuple(_facts(runs[0].host)),
        evidence=tuple(_evidence([one for record in records for one in record.evidence])),
        warnings=tuple(warnings),
    )


def _facts(host: Host) -> Iterator[tuple[str, str]]:
    yield "processor", f"{host.cpu}, {host.cores} cores, {host.machine}"
    yield "memory", units.size(host.memory_bytes)
    yield "system", host.system
    told = {
        "board": host.board,
        "kind of core": host.core,
        "distribution": host.distribution,
        "kernel": host.kernel,
        "virtual": host.virtual,
        "container": host.container,
        "emulated": host.emulated,
        "governor": host.governor,
        "turbo": None if host.turbo is None else "on" if host.turbo else "off",
        "power mode": host.power_mode,
        "L4T": host.l4t,
        "microcode": host.microcode,
    }
    yield from ((name, value) for name, value in told.items() if value)
    yield "Python", host.python
    if host.flags:
        yield "instruction sets", ", ".join(host.flags)
    silent = [name for name in ("governor", "turbo") if told[name] is None]
    if silent:
        yield "not told", ", ".join(silent)


def _evidence(seen: Sequence[Evidence]) -> Iterator[str]:
    if not seen:
        yield (
            "The version that ran did not watch the machine while calls were timed: "
            "whether other work disturbed the times is not known."
        )
        return
    broken = [one for one in seen if one.broken]
    yield (
        f"{len(seen)} windows were watched, {sum(one.readings for one in seen)} readings in all; "
        f"{len(broken)} broke a rule and count for nothing."
    )
    yield from _range(
        "temperature", "°C", _told(seen, "lowest_temperature_c", "highest_temperature_c")
    )
    clocks = [value / 1e9 for value in _told(seen, "lowest_clock_hz", "highest_clock_hz")]
    yield from _range("clock of the fastest core", "GHz", clocks)
    yield from _range("processor time of others", "cores", _told(seen, "foreign_load"))
    yield from _range("processor time taken by a hypervisor", "cores", _told(seen, "stolen_load"))
    throttled = dict.fromkeys(word for one in seen for word in one.throttled or ())
    if throttled:
        yield f"throttling: {', '.join(throttled)}"
    for one in broken:
        yield f"{one.window}: {'; '.join(one.broken)}"
    untold = dict.fromkeys(name for one in seen for name in one.untold)
    if untold:
        yield f"this machine does not tell: {', '.join(untold)}"


def _told(seen: Sequence[Evidence], *names: str) -> list[float]:
    values = (getattr(one, name) for one in seen for name in names)
    return [float(value) for value in values if value is not None]


def _range(name: str, unit: str, values: Sequence[float]) -> Iterator[str]:
    if values:
        yield f"{name}: {min(values):.3g} to {max(values):.3g} {unit}"
