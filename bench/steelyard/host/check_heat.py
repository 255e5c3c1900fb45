"""Check temperature, and what holds the clock back."""

from __future__ import annotations

from steelyard.host import identity
from steelyard.host.finding import Finding, gigahertz
from steelyard.host.machine import Machine
from steelyard.host.state import State

# Boards slow down from 80 degrees on (Raspberry Pi documentation); before anything runs, 70 leaves
# nothing to spare.
HOT_C = 70.0
# A clock that the firmware measures this far below cpufreq's is not the one asked for.
SLOW = 0.95

COOL = "improve the cooling (heat sink, fan, free vents), and let it cool before measuring"
POWER_JETSON = "use a stronger supply or a lower power mode"
# Raspberry Pi documentation, power supplies.
SUPPLIES = (
    ("Raspberry Pi 5", "5 V 5 A"),
    ("Raspberry Pi 4", "5 V 3 A"),
    ("Raspberry Pi 3", "5 V 2.5 A"),
)
VCGENCMD = (
    "sudo apt install raspi-utils (on Ubuntu: libraspberrypi-bin) for vcgencmd, and to be allowed "
    "to use it: sudo usermod -aG video $USER, then log in again"
)
# NVIDIA Jetson Linux developer guide, Orin, over-current throttling.
OVER_CURRENT = {
    "oc1": "under-voltage",
    "oc2": "average over-current",
    "oc3": "instantaneous over-current",
}


def temperature(state: State) -> tuple[Finding, ...]:
    """Say how warm the processor is, and whether that is known."""
    if state.temperature_c is None:
        what = "no temperature sensor: a start cannot wait until the device is cool"
        return (Finding(topic="temperature", status="missing", what=what),)
    what = f"{state.temperature_c:.1f} degrees C ({state.temperature_sensor})"
    if state.temperature_c < HOT_C:
        return (Finding(topic="temperature", status="good", what=what),)
    hot = f"{what}: hot before anything runs"
    return (Finding(topic="temperature", status="advice", what=hot, advice=COOL),)


def throttle(machine: Machine, state: State) -> tuple[Finding, ...]:
    """Say what holds the clock back, now or since boot."""
    if state.throttled is None and state.throttle_counts is None:
        what = "nothing here tells when the clock is held back: only its effect is seen"
        return (Finding(topic="throttle", status="missing", what=what),)
    found = [*_merged([*_now(machine, state), *_slow(state), *_before(machine, state)])]
    found += _blind(machine, state)
    free = "nothing holds the clock back, now or since the start"
    return tuple(found) or (Finding(topic="throttle", status="good", what=free),)


def _merged(said: list[tuple[str, str]]) -> list[Finding]:
    """Return a finding for each piece of advice, with all that it would help against."""
    by_advice: dict[str, list[str]] = {}
    for what, advice in said:
        by_advice.setdefault(advice, []).append(what)
    return [
        Finding(topic="throttle", status="advice", what="; ".join(whats), advice=advice)
        for advice, whats in by_advice.items()
    ]


def _now(machine: Machine, state: State) -> list[tuple[str, str]]:
    if not state.throttled:
        return []
    advice = _supply(machine) if "under-voltage" in state.throttled else COOL
    words = ", ".join(state.throttled)
    return [(f"held back right now: {words} (what is measured like this is invalid)", advice)]


def _slow(state: State) -> list[tuple[str, str]]:
    asked, real = max(state.clock_hz or (0,)), state.measured_clock_hz
    if not asked or real is None or real >= SLOW * asked:
        return []
    return [(f"the clock is {gigahertz(real)} where {gigahertz(asked)} was asked for", COOL)]


def _before(machine: Machine, state: State) -> list[tuple[str, str]]:
    """Say what held the clock back since the start and does not now."""
    live, counts = state.throttled or (), state.throttle_counts or ()
    jetson = machine.read("etc/nv_tegra_release") is not None
    past = [word for word in state.throttled_since_boot or () if word not in live]
    past += [f"{_named(one.name, jetson=jetson)} {one.count} times" for one in counts if one.count]
    supply = [word for word in past if "under-voltage" in word or "over-current" in word]
    groups = (
        (supply, POWER_JETSON if jetson else _supply(machine)),
        ([word for word in past if word not in supply], COOL),
    )
    return [
        (f"held back since the start: {', '.join(words)}", advice)
        for words, advice in groups
        if words
    ]


def _blind(machine: Machine, state: State) -> list[Finding]:
    """Say what a Raspberry Pi without vcgencmd does not see."""
    raspberry_pi = (identity.board(machine) or "").startswith("Raspberry Pi")
    if not raspberry_pi or state.throttled_since_boot is not None:
        return []
    what = "vcgencmd does not answer: under-voltage is seen, but not heat and clock limits"
    return [Finding(topic="throttle", status="advice", what=what, advice=VCGENCMD)]


def _supply(machine: Machine) -> str:
    """Return which supply the board wants."""
    board = identity.board(machine) or ""
    found = [f" ({volts})" for name, volts in SUPPLIES if board.startswith(name)]
    return f"use the board's own supply{''.join(found)} and a short cable"


def _named(counter: str, *, jetson: bool) -> str:
    if jetson:
        return f"{OVER_CURRENT[counter]} ({counter})" if counter in OVER_CURRENT else counter
    return f"{counter} too hot"
