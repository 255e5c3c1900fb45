"""Check what makes latency wander: governor, turbo, power mode."""

from __future__ import annotations

from steelyard.host import clocks, identity, jetson, surroundings
from steelyard.host.clocks import Policy
from steelyard.host.finding import Finding, Status, gigahertz
from steelyard.host.machine import Machine
from steelyard.host.state import State

TUNE = "steelyard tune on (steelyard tune off sets it back)"
TUNE_TURBO = "steelyard tune on --no-turbo (steelyard tune off sets it back)"
HIGHEST = (
    "fine if it is the mode you deploy in, and it is recorded; "
    "for the highest: sudo nvpmodel -m 0 (sudo nvpmodel -q shows it)"
)


def latency(machine: Machine, state: State) -> tuple[Finding, ...]:
    """Say whether the clock stands still and can be seen."""
    policies = clocks.policies(machine)
    found = _power_mode(machine)
    found += _governor(policies, state) if policies else _hidden(machine)
    if clocks.turbo(machine) is not None:
        found.append(_turbo(high=clocks.turbo(machine) is True))
    return tuple(found)


def _governor(policies: tuple[Policy, ...], state: State) -> list[Finding]:
    kinds = " + ".join(dict.fromkeys(one.governor for one in policies if one.governor))
    now = f", now {_range(state.clock_hz)}" if state.clock_hz else ", its clock cannot be read"
    if all(policy.pinned for policy in policies):
        return [_finding("good", f"the clock is held (governor {kinds}{now})")]
    what = f"governor {kinds}{now}: a call may be timed before the clock has risen"
    return [_finding("advice", what, TUNE)]


def _hidden(machine: Machine) -> list[Finding]:
    """Say that there is no cpufreq: on a virtual machine the host governs the clock."""
    if surroundings.virtual(machine):
        what = "the clock is the host's: it can be neither read nor held"
        advice = "expect spread between runs; let comparisons interleave"
    else:
        what = "the kernel does not govern the clock (no cpufreq): it can be neither read nor held"
        advice = "look for a kernel or firmware setting that enables cpufreq"
    return [_finding("advice", what, advice)]


def _turbo(*, high: bool) -> Finding:
    if not high:
        return _finding("good", "turbo is off")
    what = "turbo is on: the clock depends on heat and on what other cores do"
    return _finding("advice", what, TUNE_TURBO)


def _power_mode(machine: Machine) -> list[Finding]:
    if jetson.release(machine.read("etc/nv_tegra_release")) is None:
        return []
    mode = identity.power_mode(machine)
    if mode is None:
        what = "nvpmodel does not tell the power mode: it may never have been set"
        return [_finding("advice", what, "sudo nvpmodel -m 0, then: sudo nvpmodel -q")]
    if mode.startswith("MAXN"):
        return [_finding("good", f"power mode {mode}, the highest")]
    return [
        _finding("advice", f"power mode {mode} limits cores and clocks{_limit(machine)}", HIGHEST)
    ]


def _limit(machine: Machine) -> str:
    pairs = [(p.max_hz, p.hardware_max_hz) for p in clocks.policies(machine)]
    known = [(now, most) for now, most in pairs if now and most and now < most]
    return f" ({gigahertz(known[0][0])} of {gigahertz(known[0][1])})" if known else ""


def _range(hertz: tuple[int, ...]) -> str:
    low, high = gigahertz(min(hertz)), gigahertz(max(hertz))
    return high if low == high else f"{low} to {high}"


def _finding(status: Status, what: str, advice: str | None = None) -> Finding:
    return Finding(topic="latency", status=status, what=what, advice=advice)
