"""Look a device over: what it can measure, and what its owner should change first. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from steelyard.host import check_clock, check_energy, check_heat, check_memory, check_place
from steelyard.host.check_energy import MeterAnswer
from steelyard.host.finding import Finding, Topic
from steelyard.host.machine import Machine
from steelyard.host.state import read_state

# Without these no row of a table can be filled. The others make it poorer, and the table says so.
NEEDED: tuple[Topic, ...] = ("identity", "surroundings", "latency", "memory")


def examine(machine: Machine, meters: Sequence[MeterAnswer] = ()) -> tuple[Finding, ...]:
    """Return what is found on `machine`, topic by topic; `meters` is what each meter answered."""
    state = read_state(machine)
    return (
        *check_place.identity(machine),
        *check_place.surroundings(machine, state),
        *check_clock.latency(machine, state),
        *check_memory.memory(machine, state),
        *check_energy.energy(machine, meters),
        *check_heat.temperature(state),
        *check_heat.throttle(machine, state),
    )


def lacking(findings: Sequence[Finding]) -> tuple[Topic, ...]:
    """Return the needed topics in which this device cannot do what a measurement needs."""
    missing = {finding.topic for finding in findings if finding.status == "missing"}
    return tuple(topic for topic in NEEDED if topic in missing)
