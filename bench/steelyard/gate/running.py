"""From two arms as written to a result: places, cells, preparation, blocks, judgement."""

from __future__ import annotations

import time
from datetime import datetime, timezone

from msgspec import Struct, structs

from steelyard.adhoc import Desk
from steelyard.errors import ArmError
from steelyard.gate import arming, gating
from steelyard.gate.arming import Ready
from steelyard.gate.arms import Arm
from steelyard.gate.environments import Home, Site, home
from steelyard.gate.gating import Terms
from steelyard.gate.matrix import Asked, Matched, match
from steelyard.gate.sequence import ALPHA
from steelyard.gate.types import SCHEMA, CellResult, Result, Status, worst
from steelyard.measure import Bench
from steelyard.record import Host
from steelyard.spawn import PassFailed


class Order(Struct, frozen=True, kw_only=True):
    """What the gate is asked for."""

    baseline: Arm
    candidate: Arm
    asked: Asked
    terms: Terms


class Setting(Struct, frozen=True, kw_only=True):
    """Both arms in place: where they run, their cells ready, when that began."""

    homes: tuple[Home, Home]
    readies: tuple[Ready, ...]


def prepare(order: Order, bench: Bench, site: Site) -> Setting:
    """Get both arms and all their cells ready; raise ArmError where one cannot be had."""
    arms = (order.baseline, order.candidate)
    homes = (home(arms[0], site), home(arms[1], site))
    for arm, where in zip(arms, homes, strict=True):
        bench.progress.say(f"{arm.text}: {where.said}")
    desk = Desk(cache=bench.cache, progress=bench.progress, offline=bench.offline)
    # Answers that are remembered were given by another environment, perhaps.
    fresh = structs.replace(bench, fresh=True)
    benches = tuple(structs.replace(fresh, worker=where.worker) for where in homes)
    matched = match(order.asked, arms, homes, desk)
    return Setting(
        homes=homes, readies=tuple(_ready(one, (benches[0], benches[1])) for one in matched)
    )


def run(order: Order, bench: Bench, site: Site) -> Result:
    """Run the gate to its end."""
    started, clock = datetime.now(timezone.utc).isoformat(timespec="seconds"), time.monotonic()
    setting = prepare(order, bench, site)
    cells = gating.gate(setting.readies, order.terms, bench.progress)
    return result(order, cells, started, time.monotonic() - clock)


def result(order: Order, cells: tuple[CellResult, ...], started: str, seconds: float) -> Result:
    """Return what all cells say together."""
    statuses: list[Status] = [cell.status for cell in cells]
    host = order.terms.host
    return Result(
        schema=SCHEMA,
        status=worst(statuses),
        mode=order.terms.mode,
        baseline=order.baseline.text,
        candidate=order.candidate.text,
        device="+".join(dict.fromkeys(cell.cell.rpartition("/")[2] for cell in cells)),
        machine=machine(host),
        started=started,
        seconds=round(seconds, 1),
        alpha=ALPHA,
        looks=order.terms.looks.blocks,
        cells=cells,
    )


def machine(host: Host) -> str:
    """Return what this machine is called in results: an audit serves the machine it is of."""
    return f"{host.board or host.cpu}, {host.cores} cores"


def _ready(matched: Matched, benches: tuple[Bench, Bench]) -> Ready:
    for planned in (matched.baseline, matched.candidate):
        if planned.refusal is not None:
            raise ArmError(f"{planned.cell.id}: refused: {planned.refusal}")
    try:
        return arming.ready(matched, benches)
    except PassFailed as failure:
        raise ArmError(f"{matched.name}: {failure.outcome}: {failure.reason}") from failure
