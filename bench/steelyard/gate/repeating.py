"""Do the gate again and again on one arm against itself: the audit's trials."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone

from msgspec import structs

from steelyard.gate import auditing, gating, running
from steelyard.gate.auditing import Audit
from steelyard.gate.environments import Site
from steelyard.gate.running import Order
from steelyard.gate.sequence import ALPHA
from steelyard.gate.types import CellResult
from steelyard.measure import Bench

Heard = Callable[[int, tuple[CellResult, ...]], None]


def audit(order: Order, bench: Bench, site: Site, count: int, heard: Heard) -> Audit:
    """Set the candidate against itself `count` times; `heard` is told each trial as it ends."""
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    itself = structs.replace(order, baseline=order.candidate)
    terms = structs.replace(order.terms, quantities=("latency",))
    setting = running.prepare(itself, bench, site)
    found: list[tuple[CellResult, ...]] = []
    clock = time.monotonic()
    for trial in range(count):
        found.append(gating.gate(setting.readies, terms, bench.progress))
        heard(trial + 1, found[-1])
    seconds = (time.monotonic() - clock) / len(setting.readies)
    last = running.result(itself, found[-1], started, 0.0)
    within = terms.bounds("latency")
    return Audit(
        schema=auditing.SCHEMA,
        arm=itself.candidate.text,
        device=last.device,
        machine=last.machine,
        mode=terms.mode,
        started=started,
        alpha=ALPHA,
        margin=within.margin,
        tolerated=within.tolerated,
        looks=terms.looks.blocks,
        cells=tuple(
            auditing.cell_audit([trial[place] for trial in found], terms, seconds)
            for place in range(len(setting.readies))
        ),
    )
