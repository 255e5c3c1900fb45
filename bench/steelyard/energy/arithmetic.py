"""Energies and what may be done with them: net of idle, a call's share, means, sums."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, hypot
from statistics import fmean, stdev

from msgspec import Struct
from msgspec.structs import replace

from steelyard.api import Covered, MeterMethod, MeterScope

ENOUGH_UPDATES = 50
# A stretch without a reading longer than this share of the window leaves power there unknown.
LONGEST_GAP = 0.1
WORST_LAST: tuple[MeterMethod, ...] = ("counter", "sampled", "modelled")


class Absent(Struct, frozen=True, kw_only=True):
    """A figure that cannot be had, and why. Never 0."""

    reason: str


class Energy(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Joules of a window, or a call, or an answer; the four `u_` are standard uncertainties in J.

    `updates` are those of the window with the fewest, `longest_gap_s` is the longest time between
    readings of power (0 for counters, which miss nothing). Of a modelled energy `joules` is the
    middle of its range, whose half width `u_gain` carries: `low` and `high` enclose it.
    """

    joules: float
    seconds: float
    meters: tuple[str, ...]
    method: MeterMethod
    scope: MeterScope
    covers: tuple[Covered, ...]
    updates: int
    longest_gap_s: float = 0.0
    u_gain: float = 0.0
    u_truncation: float = 0.0
    u_idle: float = 0.0
    u_blocks: float = 0.0
    blocks: int = 1
    net: bool = False

    @property
    def watts(self) -> float:
        """Mean power."""
        return self.joules / self.seconds

    @property
    def standard(self) -> float:
        """The root of u^2 = (u_gain*E)^2 + u_truncation^2 + (T*u_idle)^2 + s_blocks^2/n, in J."""
        return hypot(self.u_gain, self.u_truncation, self.u_idle, self.u_blocks)

    @property
    def expanded(self) -> float:
        """U = 2u, in J: about 95 %."""
        return 2 * self.standard

    @property
    def low(self) -> float:
        """The figure less U."""
        return self.joules - self.expanded

    @property
    def high(self) -> float:
        """The figure plus U."""
        return self.joules + self.expanded


class Idle(Struct, frozen=True, kw_only=True):
    """The power of a machine that does nothing but run the meter, in W; `u` is standard."""

    watts: float
    u: float
    meters: tuple[str, ...]
    windows: int


def refuse_short(energy: Energy, needed: int = ENOUGH_UPDATES) -> str | None:
    """Say why a window is too short for its sensor and how long would do, or return None.

    For a window as `energy_between` gave it: before it is scaled to a call.
    """
    if energy.longest_gap_s > LONGEST_GAP * energy.seconds:
        return (
            f"no reading of {_names(energy)} for {energy.longest_gap_s:.1f} s of a window of "
            f"{energy.seconds:.1f} s; was the machine too busy to read it?"
        )
    seconds = seconds_needed(energy, needed)
    if energy.updates >= needed:
        return None
    seen = f"{energy.updates} updates of {_names(energy)} in {energy.seconds:.1f} s"
    if seconds is None:
        return f"{seen}, {needed} are needed: repeat the work for a minute and see"
    return f"{seen}, {needed} are needed: repeat the work for {seconds:.0f} s"


def seconds_needed(energy: Energy, needed: int = ENOUGH_UPDATES) -> float | None:
    """Return how long a window must be for its sensor; None where it is, or nobody can tell."""
    if energy.updates >= needed or energy.updates == 0:
        return None
    return energy.seconds * needed / energy.updates


def idle_power(windows: Sequence[Energy]) -> Idle:
    """Return the mean power of windows in which the machine was idle, before and after.

    Where they differ, idle power is taken to have lain anywhere between them (rectangular).
    """
    if not windows:
        raise ValueError("idle power needs a window")
    watts = [window.watts for window in windows]
    drift = (max(watts) - min(watts)) / 12**0.5
    truncation = hypot(*(w.u_truncation / w.seconds for w in windows)) / len(windows)
    # A gain is common to work and idle and scales their difference; a model's range does not.
    model = fmean(w.u_gain / w.seconds if w.method == "modelled" else 0.0 for w in windows)
    return Idle(
        watts=fmean(watts),
        u=hypot(drift, truncation, model),
        meters=windows[0].meters,
        windows=len(windows),
    )


def net(energy: Energy, idle: Idle) -> Energy | Absent:
    """Return energy - P_idle * T; absent where it cannot be told from idling.

    Raises ValueError where idle was measured with other meters.
    """
    if energy.meters != idle.meters:
        raise ValueError(f"idle of {idle.meters} is not that of {energy.meters}")
    joules = energy.joules - idle.watts * energy.seconds
    scale = 1.0 if energy.method == "modelled" else abs(joules / energy.joules)
    left = replace(
        energy,
        joules=joules,
        u_gain=energy.u_gain * scale,
        u_idle=energy.seconds * idle.u,
        net=True,
    )
    if joules > left.expanded:
        return left
    return Absent(
        reason=f"{joules:.3g} J above idle, of {energy.joules:.3g} J, cannot be told from idling "
        f"(U = {left.expanded:.3g} J): repeat the work for longer"
    )


def per(energy: Energy, count: float) -> Energy:
    """Return the energy of one of `count` calls, with its share of the seconds."""
    if count <= 0:
        raise ValueError(f"no share of {count}")
    return _scaled(energy, 1 / count)


def per_correct(energy: Energy, correct: int, n: int) -> Energy | Absent:
    """Return energy per correct answer of a call's energy; absent where no answer was right.

    The uncertainty is the energy's alone: it holds for the items that were asked.
    """
    if not 0 <= correct <= n or n < 1:
        raise ValueError(f"{correct} of {n} is no share")
    if correct == 0:
        return Absent(reason=f"none of {n} answers was correct")
    return _scaled(energy, n / correct)


def over_blocks(blocks: Sequence[Energy]) -> Energy:
    """Return the mean of repeated windows' energies a call, with s^2/n for how they differ.

    Gain and idle are the same in all blocks and do not average out; truncation does.
    """
    if not blocks:
        raise ValueError("a mean needs a block")
    n = len(blocks)
    joules = [block.joules for block in blocks]
    return replace(
        blocks[0],
        joules=fmean(joules),
        seconds=fmean(block.seconds for block in blocks),
        updates=min(block.updates for block in blocks),
        longest_gap_s=max(block.longest_gap_s for block in blocks),
        u_gain=fmean(block.u_gain for block in blocks),
        u_truncation=hypot(*(block.u_truncation for block in blocks)) / n,
        u_idle=fmean(block.u_idle for block in blocks),
        u_blocks=stdev(joules) / n**0.5 if n > 1 else 0.0,
        blocks=n,
    )


def together(energies: Sequence[Energy]) -> Energy | Absent:
    """Return the sum of meters that ran side by side, such as the host's and its GPU's.

    Absent where one counts what another has counted. Their errors are independent.
    """
    if not energies:
        raise ValueError("a sum needs an energy")
    twice = _counted_twice(energies)
    if twice is not None:
        return Absent(reason=twice)
    first = energies[0]
    scopes = {energy.scope for energy in energies}
    return replace(
        first,
        joules=fsum(energy.joules for energy in energies),
        seconds=max(energy.seconds for energy in energies),
        meters=tuple(name for energy in energies for name in energy.meters),
        method=max((energy.method for energy in energies), key=WORST_LAST.index),
        scope=first.scope if len(scopes) == 1 else "package",
        covers=tuple(part for energy in energies for part in energy.covers),
        updates=min(energy.updates for energy in energies),
        longest_gap_s=max(energy.longest_gap_s for energy in energies),
        u_gain=hypot(*(energy.u_gain for energy in energies)),
        u_truncation=hypot(*(energy.u_truncation for energy in energies)),
        u_idle=hypot(*(energy.u_idle for energy in energies)),
        u_blocks=hypot(*(energy.u_blocks for energy in energies)),
    )


def _counted_twice(energies: Sequence[Energy]) -> str | None:
    seen: set[Covered] = set()
    for energy in energies:
        parts = set(energy.covers)
        if seen & parts or (seen and "board" in seen | parts):
            return f"{_names(energy)} counts again what {', '.join(sorted(seen))} holds"
        seen |= parts
    return None


def _scaled(energy: Energy, by: float) -> Energy:
    return replace(
        energy,
        joules=energy.joules * by,
        seconds=energy.seconds * by,
        u_gain=energy.u_gain * by,
        u_truncation=energy.u_truncation * by,
        u_idle=energy.u_idle * by,
        u_blocks=energy.u_blocks * by,
    )


def _names(energy: Energy) -> str:
    return " and ".join(energy.meters)
