"""Check which meters can measure energy here."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from steelyard.host import identity, jetson, meters, processor
from steelyard.host.finding import Finding
from steelyard.host.machine import Machine

# The meter that computes where the others read.
MODELLED = "modelled"
NONE_INSTALLED = "no meter is installed with this steelyard"
BRING_ONE = "set up an external meter, USB or wall (docs/meters.md)"


class MeterAnswer(Struct, frozen=True, kw_only=True):
    """What a meter says to this device: why it cannot read it, or None where it can."""

    name: str
    refusal: str | None


def ask_meters(machine: Machine) -> tuple[MeterAnswer, ...]:
    """Ask every installed meter whether it can read `machine`."""
    found = meters.installed(machine)
    return tuple(MeterAnswer(name=one.name, refusal=one.refusal) for one in found)


def energy(machine: Machine, answers: Sequence[MeterAnswer]) -> tuple[Finding, ...]:
    """Say what can measure energy; a sensor that this kind of device has must say why it cannot."""
    if not answers:
        return (Finding(topic="energy", status="missing", what=NONE_INSTALLED),)
    refused = _refused(machine, answers)
    working = [one for one in answers if one.refusal is None and one.name != MODELLED]
    if not working:
        return (_without(answers, refused),)
    what = f"measured by: {', '.join(one.name for one in working)}"
    more = [Finding(topic="energy", status="advice", what=why) for why in refused]
    return (Finding(topic="energy", status="good", what=what), *more)


def _refused(machine: Machine, answers: Sequence[MeterAnswer]) -> list[str]:
    """Return why the sensors refuse that this kind of device could have."""
    expected = _expected(machine)
    return [one.refusal for one in answers if one.refusal is not None and one.name in expected]


def _without(answers: Sequence[MeterAnswer], refused: list[str]) -> Finding:
    """Say what remains where no sensor can be read, and what its reason or the way out is."""
    modelled = next((one for one in answers if one.name == MODELLED), None)
    if modelled is not None and modelled.refusal is None:
        return Finding(
            topic="energy",
            status="advice",
            what="no sensor can be read: energy is modelled from figures of this board, "
            "and labelled so",
            advice="; ".join(refused) or BRING_ONE,
        )
    ways = [*refused, modelled.refusal if modelled and modelled.refusal else BRING_ONE]
    return Finding(
        topic="energy",
        status="missing",
        what="no sensor can be read, and there are no figures to model with: energy stays absent",
        advice="; or: ".join(ways),
    )


def _expected(machine: Machine) -> set[str]:
    """Return the meters that this kind of device could have."""
    found: set[str] = set()
    if jetson.release(machine.read("etc/nv_tegra_release")):
        found.add("ina3221")
    elif machine.path("proc/driver/nvidia").exists():
        found.add("nvml")
    if (identity.board(machine) or "").startswith("Raspberry Pi"):
        found.add("pi5-pmic")
    said = processor.parse(machine.read("proc/cpuinfo") or "")
    if said.x86 and not said.hypervisor:
        found.add("rapl")
    return found
