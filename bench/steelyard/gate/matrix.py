"""The cells of both arms, matched by what they do: task and device, and variant where it differs.

A cell that only one arm has is an error of its own: what was renamed was not compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, structs

from steelyard import adhoc, catalog, devices, host, plan
from steelyard.adhoc import Desk
from steelyard.card import Timing
from steelyard.errors import ArmError, UnknownNameError
from steelyard.gate.arms import Arm
from steelyard.gate.environments import Home
from steelyard.plan import PlannedCell, Suite

# A block's process is one value: what calls add to its noise, more processes take away as well.
BLOCK_TIMING = Timing(
    min_calls=100,
    max_calls=2000,
    min_seconds=1.0,
    max_seconds=10.0,
    warm_up_min_seconds=0.5,
    warm_up_max_seconds=10.0,
)


class Asked(Struct, frozen=True, kw_only=True):
    """What the gate is about: a suite's tasks, those that match, and a device."""

    suite: Suite
    cards: tuple[Path, ...] = ()
    patterns: tuple[str, ...] = ()
    device: str | None = None
    timing: Timing = BLOCK_TIMING


class Matched(Struct, frozen=True, kw_only=True):
    """One cell as each arm has it."""

    name: str
    baseline: PlannedCell
    candidate: PlannedCell


def match(
    asked: Asked, arms: tuple[Arm, Arm], homes: tuple[Home, Home], desk: Desk
) -> tuple[Matched, ...]:
    """Return the cells of the gate, baseline's first; raise ArmError where an arm lacks one."""
    theirs = _cells(asked, arms[0], homes[0], desk)
    try:
        ours = _cells(asked, arms[1], homes[1], desk)
    except UnknownNameError as error:
        if homes[0].checkout is None:
            raise
        # What a revision had and this checkout has not was renamed: no wrong usage.
        raise ArmError(
            f"{arms[1].text}: {error}; {arms[0].text} has it: what was renamed or removed is not "
            "compared: name both arms"
        ) from error
    baseline, candidate = _keyed(theirs, ours)
    for mine, others, arm in ((baseline, candidate, arms[1]), (candidate, baseline, arms[0])):
        lacking = [name for name in mine if name not in others]
        if lacking:
            raise ArmError(
                f"{arm.text}: has no cell {', '.join(lacking)}, which the other arm has; "
                "a cell that was renamed or removed is not compared: choose cells with -k"
            )
    return tuple(
        Matched(name=name, baseline=one, candidate=candidate[name])
        for name, one in baseline.items()
    )


def _cells(asked: Asked, arm: Arm, home: Home, desk: Desk) -> tuple[PlannedCell, ...]:
    """Return the cells of one arm's model on the suite's tasks."""
    found = catalog.load(_cards(asked.cards, home, arm))
    device = asked.device
    if device is not None:
        devices.check(device, "--device")
    try:
        suite, found = adhoc.added(asked.suite, found, (arm.model,), device, desk)
        every = plan.cells(suite, found, host.cores())
        chosen = plan.select(every, asked.patterns)
    except UnknownNameError as error:
        if home.checkout is None:
            raise
        raise ArmError(f"{arm.text}: no usable arm: {error}") from error
    return tuple(_as_asked(one, arm, asked) for one in chosen)


def _cards(cards: Sequence[Path], home: Home, arm: Arm) -> tuple[Path, ...]:
    """Return the folders of cards, those below the repository as the arm's revision has them."""
    if home.checkout is None or home.top is None:
        return tuple(cards)
    top, checkout = home.top.resolve(), home.checkout
    found: list[Path] = []
    for folder in cards:
        place = folder.resolve()
        if place.is_relative_to(top):
            place = checkout / place.relative_to(top)
        if not place.is_dir():
            raise ArmError(f"{arm.text}: no usable arm: it has no folder {folder}")
        found.append(place)
    return tuple(found)


def _as_asked(planned: PlannedCell, arm: Arm, asked: Asked) -> PlannedCell:
    variant = planned.variant
    options = {**variant.session_options, **arm.options}
    if arm.threads is not None and arm.threads > host.cores():
        raise ArmError(f"{arm.text}: this process may use {host.cores()} cores")
    return structs.replace(
        planned,
        variant=structs.replace(variant, session_options=options),
        threads=arm.threads or planned.threads,
        timing=asked.timing,
        loads=(),
        dependability=None,
        codecarbon=None,
    )


def _keyed(
    baseline: Sequence[PlannedCell], candidate: Sequence[PlannedCell]
) -> tuple[dict[str, PlannedCell], dict[str, PlannedCell]]:
    """Name cells by task and device, and by the variant too where an arm has several of these."""
    short = [{_short(one): one for one in cells} for cells in (baseline, candidate)]
    if len(short[0]) == len(baseline) and len(short[1]) == len(candidate):
        return short[0], short[1]
    long = [{_long(one): one for one in cells} for cells in (baseline, candidate)]
    return long[0], long[1]


def _short(one: PlannedCell) -> str:
    return f"{one.cell.task}/{one.cell.device}"


def _long(one: PlannedCell) -> str:
    return f"{one.cell.task}/@{one.cell.variant}/{one.cell.device}"
