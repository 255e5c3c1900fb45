"""Check that memory can be weighed, held to a budget, and is not swapped."""

from __future__ import annotations

from steelyard.host import counters, identity
from steelyard.host.finding import Finding, size
from steelyard.host.machine import Machine
from steelyard.host.state import State

# Where cgroup v2 is, alone or beside v1.
UNIFIED = ("sys/fs/cgroup/cgroup.controllers", "sys/fs/cgroup/unified/cgroup.controllers")
# The firmware adds cgroup_disable=memory; what comes later on the line wins.
PI_CGROUP = (
    "put cgroup_enable=memory at the end of the one line in /boot/firmware/cmdline.txt, and reboot"
)


def memory(machine: Machine, state: State) -> tuple[Finding, ...]:
    """Say what of memory can be measured here."""
    return (_peak(machine), _limit(machine), *_swap(machine, state))


def _peak(machine: Machine) -> Finding:
    if counters.kib(machine.read("proc/self/status"), "VmHWM") is None:
        what = "the kernel does not tell a process's peak memory (VmHWM in /proc/self/status)"
        return Finding(topic="memory", status="missing", what=what, advice="use a Linux kernel")
    if not machine.path("proc/self/clear_refs").exists():
        what = "peak memory can be read but not reset (/proc/self/clear_refs): only its maximum"
        return Finding(topic="memory", status="advice", what=what)
    return Finding(topic="memory", status="good", what="peak memory can be read and reset")


def _limit(machine: Machine) -> Finding:
    controllers = [(machine.read(path) or "").split() for path in UNIFIED]
    if any("memory" in names for names in controllers):
        what = "--memory-limit can be held by a cgroup, as root or where one is delegated to you"
        return Finding(topic="memory", status="good", what=what)
    raspberry_pi = any(controllers) and (identity.board(machine) or "").startswith("Raspberry Pi")
    why = "cgroup v2 has no memory controller" if any(controllers) else "no cgroup v2"
    return Finding(
        topic="memory",
        status="advice" if raspberry_pi else "good",
        what=f"{why}: --memory-limit counts address space (RLIMIT_AS), which is stricter",
        advice=PI_CGROUP if raspberry_pi else None,
    )


def _swap(machine: Machine, state: State) -> list[Finding]:
    if state.swap_total_bytes is None or state.swap_used_bytes is None:
        return []
    table = counters.swap(machine.read("proc/swaps"))
    kind = "compressed swap (zram)" if table and table.zram else "swap"
    if state.swap_total_bytes == 0:
        return [Finding(topic="memory", status="good", what="no swap")]
    whole = size(state.swap_total_bytes)
    if state.swap_used_bytes == 0:
        return [Finding(topic="memory", status="good", what=f"{kind} of {whole}, unused")]
    what = f"{kind} holds {size(state.swap_used_bytes)} of {whole}: fetching it back takes time"
    advice = "close other programs, then: sudo swapoff -a (until the next start)"
    return [Finding(topic="memory", status="advice", what=what, advice=advice)]
