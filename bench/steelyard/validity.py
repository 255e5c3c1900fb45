"""When a window is not believed: the rules, their limits, and when to try again. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

from steelyard import readings as read
from steelyard.readings import Reading, Window


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a window may bear; None switches a rule off, as a sustained run does with some.

    `clock_drop`: a share of the highest clock seen. A gate's margin is 5 % at most, a step of
        turbo 2 to 4 %; beyond 10 % the calls of one window were made by two machines.
    `clock_is_fixed`: whether the clock ought to hold still. None: it ought to where all governors
        are `performance`. Under any other a drop is the governor doing its work (an idle moment
        between two calls reads low), so that it is recorded and no rule.
    `temperature_rise_c`: what heat does to the clock is judged by clock and throttle; a rise beyond
        20 degrees is a fan that stopped, or a cold start that no gate held back.
    `swapped_pages`: 256 pages are 1 MiB at 4 KiB. An idle daemon's trickle stays below it; a model
        that does not fit goes far beyond it.
    `major_faults`: of the worker. Three of the 300 calls of the shortest window are its 1 %: more
        of them waiting for the disk, and p99 is the disk's.
    `foreign_share`, `foreign_cores`: of the machine, and cores' worth: whichever is less. On a
        machine of many cores one busy process is a small share, and still a competitor for
        memory and clock.
    `stolen_share`: of the machine, that a hypervisor gave to others.
    `unwatched_s`: with a look a second, five missed ones mean that the machine could not even
        run the watch.
    `throttled`: whether being throttled breaks a window. A sustained run is made to see it.
    """

    clock_drop: float | None = 0.10
    clock_is_fixed: bool | None = None
    temperature_rise_c: float | None = 20.0
    swapped_pages: int | None = 256
    major_faults: int | None = 3
    foreign_share: float | None = 0.05
    foreign_cores: float = 0.5
    stolen_share: float | None = 0.05
    unwatched_s: float = 5.0
    throttled: bool = True


Rule = Callable[[Sequence[Reading], Window, Limits], str | None]


def broken_rules(
    readings: Sequence[Reading], window: Window, limits: Limits | None = None
) -> tuple[str, ...]:
    """Return in plain words, with figures, each rule that the window broke; none: it is valid.

    A quantity that the device does not tell breaks no rule: the evidence lists it as untold.
    """
    limits = limits or Limits()
    seen = read.around(readings, window)
    found = (rule(seen, window, limits) for rule in RULES)
    return tuple(said for said in found if said is not None)


def _unwatched(seen: Sequence[Reading], window: Window, limits: Limits) -> str | None:
    gap_s = read.longest_gap_s(seen, window)
    if not seen:
        return "not watched at all"
    if gap_s <= limits.unwatched_s:
        return None
    return f"not watched for {gap_s:.1f} s, limit {limits.unwatched_s:g} s"


def _throttled(seen: Sequence[Reading], window: Window, limits: Limits) -> str | None:  # noqa: ARG001
    words = read.throttled(seen)
    if not words or not limits.throttled:
        return None
    count = sum(1 for reading in seen if reading.state.throttled)
    return f"throttled ({', '.join(words)}) at {count} of {len(seen)} readings"


def _throttle_events(seen: Sequence[Reading], window: Window, limits: Limits) -> str | None:  # noqa: ARG001
    events = (read.throttle_events(seen) or {}) if limits.throttled else {}
    risen = [f"{name} {count}" for name, count in events.items() if count > 0]
    return f"throttle events: {', '.join(risen)}" if risen else None


def _governor(seen: Sequence[Reading], window: Window, limits: Limits) -> str | None:  # noqa: ARG001
    names = list(dict.fromkeys(read.governors(seen)))
    return f"the governor changed: {', then '.join(names)}" if len(names) > 1 else None


def _clock(seen: Sequence[Reading], window: Window, limits: Limits) -> str | None:
    fixed = limits.clock_is_fixed
    if fixed is None:
        fixed = set(read.governors(seen)) == {"performance"}
    # Only from inside: before and after it the worker may be idle.
    clocks = read.clocks(read.inside(seen, window))
    if not fixed or limits.clock_drop is None or not clocks:
        return None
    highest, after, drop = _deepest_drop(clocks)
    if drop <= limits.clock_drop:
        return None
    return (
        f"the clock fell by {drop:.0%}, from {highest / 1e9:.2f} to {after / 1e9:.2f} GHz, "
        f"limit {limits.clock_drop:.0%}"
    )


def _deepest_drop(clocks: Sequence[int]) -> tuple[int, int, float]:
    """Return the highest clock, the lowest after it, and the drop as a share of the highest."""
    worst = (clocks[0], clocks[0], 0.0)
    highest = clocks[0]
    for clock in clocks:
        highest = max(highest, clock)
        drop = 1 - clock / highest
        if drop > worst[2]:
            worst = (highest, clock, drop)
    return worst


def _temperature(seen: Sequence[Reading], window: Window, limits: Limits) -> str | None:  # noqa: ARG001
    told = read.temperatures(seen)
    limit = limits.temperature_rise_c
    if limit is None or not told or max(told) - told[0] <= limit:
        return None
    return (
        f"warmed by {max(told) - told[0]:.1f} degrees, from {told[0]:.1f} to {max(told):.1f}, "
        f"limit {limit:g}"
    )


def _swapped(seen: Sequence[Reading], window: Window, limits: Limits) -> str | None:  # noqa: ARG001
    pages, limit = read.swapped_pages(seen), limits.swapped_pages
    if limit is None or pages is None or pages <= limit:
        return None
    return f"{pages} pages swapped, limit {limit}"


def _major_faults(seen: Sequence[Reading], window: Window, limits: Limits) -> str | None:  # noqa: ARG001
    faults, limit = read.major_faults(seen), limits.major_faults
    if limit is None or faults is None or faults <= limit:
        return None
    return f"{faults} major page faults (memory that waited for the disk), limit {limit}"


def _oom_kills(seen: Sequence[Reading], window: Window, limits: Limits) -> str | None:  # noqa: ARG001
    kills = read.grown(seen, lambda state: state.oom_kills)
    return f"the kernel killed {kills} for memory" if kills else None


def _foreign(seen: Sequence[Reading], window: Window, limits: Limits) -> str | None:
    load = read.foreign_load(seen)
    if load is None or limits.foreign_share is None:
        return None
    limit = min(limits.foreign_share * window.cores, limits.foreign_cores)
    if load <= limit:
        return None
    return f"other processes used {load:.2f} of {window.cores} cores, limit {limit:.2f}"


def _stolen(seen: Sequence[Reading], window: Window, limits: Limits) -> str | None:
    load = read.stolen_load(seen)
    if load is None or limits.stolen_share is None or load <= limits.stolen_share * window.cores:
        return None
    limit = limits.stolen_share * window.cores
    return f"the hypervisor took {load:.2f} of {window.cores} cores, limit {limit:.2f}"


RULES: tuple[Rule, ...] = (
    _unwatched,
    _throttled,
    _throttle_events,
    _governor,
    _clock,
    _temperature,
    _swapped,
    _major_faults,
    _oom_kills,
    _foreign,
    _stolen,
)


class Retries(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long to go on for a valid window.

    A passing disturbance is gone at the second or third try, a lasting one is not: `tries` in all,
    and none is begun that would take the spent time beyond `budget_s`.
    """

    tries: int = 3
    budget_s: float = 600.0


class Attempt(Struct, frozen=True, kw_only=True):
    """A pass that was made: how long it took, and what rules its windows broke."""

    seconds: float
    broken: tuple[str, ...]


class Decision(Struct, frozen=True, kw_only=True):
    """What follows an attempt. `reason` is for the record where the cell is given up as invalid."""

    action: Literal["keep", "again", "give_up"]
    reason: str | None = None


def decide(attempts: Sequence[Attempt], retries: Retries | None = None) -> Decision:
    """Say whether the last attempt is kept, tried again, or the cell given up as `invalid`.

    Raises ValueError without an attempt.
    """
    if not attempts:
        raise ValueError("nothing was attempted, so that nothing can be decided")
    retries = retries or Retries()
    if not attempts[-1].broken:
        return Decision(action="keep")
    if len(attempts) >= retries.tries:
        return Decision(action="give_up", reason=_reason(attempts, "none valid"))
    longest_s = max(attempt.seconds for attempt in attempts)
    if sum(attempt.seconds for attempt in attempts) + longest_s > retries.budget_s:
        said = f"none valid, and one more would take longer than {retries.budget_s:g} s in all"
        return Decision(action="give_up", reason=_reason(attempts, said))
    return Decision(action="again")


def _reason(attempts: Sequence[Attempt], said: str) -> str:
    tries = f"{len(attempts)} tries" if len(attempts) > 1 else "1 try"
    return f"{tries}, {said}; the last: {'; '.join(attempts[-1].broken)}"
