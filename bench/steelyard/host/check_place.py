"""Check what the device is, and what stands between a program and it."""

from __future__ import annotations

from steelyard.host import identity as who
from steelyard.host import jetson, processor
from steelyard.host import surroundings as around
from steelyard.host.finding import Finding, Topic, size
from steelyard.host.machine import Machine
from steelyard.host.state import State

# Without one of these an int8 kernel gains little or loses (onnxruntime #20052).
INT8_ARM = ("asimddp", "i8mm")
INT8_X86 = ("avx512_vnni", "avx_vnni", "amx_int8")


def identity(machine: Machine) -> tuple[Finding, ...]:
    """Say what the device is; refuse one that nothing can be run on."""
    narrow = around.narrow(machine)
    if narrow:
        said, _, advice = narrow.partition(": install")
        return (_known(machine), _missing("identity", said, f"install{advice}"))
    return (_known(machine),)


def surroundings(machine: Machine, state: State) -> tuple[Finding, ...]:
    """Say what stands between us and the device."""
    found = [*_emulator(machine), *_virtual(machine, state), *_container(machine)]
    free = "no emulator, no virtual machine, no container"
    return tuple(found) or (Finding(topic="surroundings", status="good", what=free),)


def _known(machine: Machine) -> Finding:
    said = processor.parse(machine.read("proc/cpuinfo") or "")
    name = who.board(machine) or said.model or "unnamed processor"
    cores = machine.userland.cores or who.cores()
    release = jetson.release(machine.read("etc/nv_tegra_release"))
    parts = [
        name,
        f"{cores} x {said.core}" if said.core else f"{cores} processors",
        size(who.memory_bytes(machine)),
        f"L4T {release}" if release else "",
        _pages(machine),
        _int8(said),
    ]
    return Finding(topic="identity", status="good", what=", ".join(part for part in parts if part))


def _pages(machine: Machine) -> str:
    page = machine.userland.page_size
    return f"pages of {page // 1024} KiB" if page and page != 4096 else ""


def _int8(said: processor.Processor) -> str:
    """Say whether int8 models may disappoint here."""
    if not said.arm and not said.x86:
        return ""
    found = [flag for flag in (INT8_ARM if said.arm else INT8_X86) if flag in said.flags]
    if found:
        return f"int8 instructions: {' '.join(found)}"
    return "no int8 dot product: quantised models may be no faster than full precision"


def _emulator(machine: Machine) -> list[Finding]:
    how = around.emulated(machine)
    if how is None:
        return []
    what = f"an emulator plays this processor ({how}): accuracy is right, no time or energy is"
    return [_missing("surroundings", what, "measure on the board itself")]


def _virtual(machine: Machine, state: State) -> list[Finding]:
    maker = around.virtual(machine)
    if maker is None:
        return []
    stolen = ""
    if state.stolen_s and state.busy_s:
        share = state.stolen_s / (state.stolen_s + state.busy_s)
        stolen = f"; neighbours took {share:.1%} of its processor time since it started"
    what = f"a virtual machine ({maker}): its clock and its neighbours are out of sight{stolen}"
    advice = "compare interleaved on it; publish speeds from a machine of your own"
    return [Finding(topic="surroundings", status="advice", what=what, advice=advice)]


def _container(machine: Machine) -> list[Finding]:
    kind = around.container(machine)
    if kind is None:
        return []
    what = f"a container ({kind}): sensors and power counters may be hidden from it"
    advice = "run on the system itself, or pass /sys in and leave the processors unlimited"
    return [Finding(topic="surroundings", status="advice", what=what, advice=advice)]


def _missing(topic: Topic, what: str, advice: str) -> Finding:
    return Finding(topic=topic, status="missing", what=what, advice=advice)
