"""The gate on this machine: an arm against itself, and against itself with a real extra delay.

Run on a quiet machine: python -m benchmarks.gate_real [--trials 20] [--model minilm-head@int8]
[--task spam] [--fast] [--slower 0.05]. Both arms run through `gate_slow`, one of them with a delay
of 5 % of the calls' own median; trials of both kinds alternate. Every trial is written to
results/gate/data/real-MODE.json as it ends, the page after the last.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from typing import Literal

import msgspec
from benchmarks.gate_simulation import DATA, write_page
from benchmarks.gate_slow import DELAY
from msgspec import Struct, structs

from steelyard import host, plan
from steelyard.errors import WorkerError
from steelyard.gate import gating, running
from steelyard.gate.arming import Ready, afresh
from steelyard.gate.arms import parse
from steelyard.gate.blocks import timed
from steelyard.gate.environments import Site
from steelyard.gate.gating import Terms
from steelyard.gate.matrix import Asked
from steelyard.gate.running import Order, Setting
from steelyard.gate.types import CellResult, Status
from steelyard.measure import Bench
from steelyard.measure.work import Work
from steelyard.prepare.cache import Cache
from steelyard.progress import Silent
from steelyard.stats import wilson

ROOT = Path(__file__).parents[1]
BACKEND = "benchmarks.gate_slow:Delayed"
Kind = Literal["same", "slower"]


class Trial(Struct, frozen=True, kw_only=True):
    """One gate: which kind, what it said, how long it took."""

    kind: Kind
    status: Status
    blocks: int | None
    estimate: float | None
    spread: float | None
    seconds: float
    reason: str | None
    lost: int
    medians_ns: tuple[tuple[float, float], ...]


class Kept(Struct, frozen=True, kw_only=True):
    """All trials of a run of this script."""

    model: str
    task: str
    mode: str
    machine: str
    started: str
    load_before: float
    slower: float
    delay_ns: int
    median_ns: float
    margin: float
    tolerated: float
    looks: tuple[int, ...]
    trials: tuple[Trial, ...]


def main() -> None:
    asked = _asked()
    os.environ["PYTHONPATH"] = str(ROOT)  # workers are started elsewhere
    terms = Terms(
        host=host.identify(), mode="fast" if asked.fast else "blocks", quantities=("latency",)
    )
    terms = gating.with_looks(terms, None)
    load = os.getloadavg()[0]
    (ready,) = _setting(asked.model, asked.task, terms).readies
    middle = median(_calibrated(ready.baseline))
    delay_ns = int(asked.slower * middle)
    within = terms.bounds("latency")
    kept = Kept(
        model=asked.model, task=asked.task, mode=terms.mode, machine=running.machine(terms.host),
        started=datetime.now(timezone.utc).isoformat(timespec="seconds"), load_before=load,
        slower=asked.slower, delay_ns=delay_ns, median_ns=middle, margin=within.margin,
        tolerated=within.tolerated, looks=terms.looks.blocks, trials=(),
    )  # fmt: skip
    kinds: tuple[Kind, ...] = ("same", "slower")
    for _ in range(asked.trials):
        for kind in kinds:
            trial = _trial(kind, ready, delay_ns, terms)
            kept = structs.replace(kept, trials=(*kept.trials, trial))
            _write(kept)
            print(
                f"{kind}: {trial.status}, {trial.blocks} blocks, {trial.seconds:.0f} s", flush=True
            )
    write_page("real", _pages())


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--model", default="minilm-head@int8")
    parser.add_argument("--task", default="spam")
    parser.add_argument("--slower", type=float, default=0.05)
    parser.add_argument("--fast", action="store_true")
    return parser.parse_args()


def _setting(model: str, task: str, terms: Terms) -> Setting:
    arm = parse(model)
    suite = structs.replace(plan.load_suite(), tasks=(task,))
    entries = tuple(structs.replace(entry, tasks=(task,)) for entry in suite.entries)
    wanted = Asked(suite=structs.replace(suite, entries=entries), device="cpu-1t")
    cache = Cache.default()
    order = Order(baseline=arm, candidate=arm, asked=wanted, terms=terms)
    bench = Bench(cache=cache, progress=Silent())
    return running.prepare(order, bench, Site(cache=cache, progress=Silent()))


def _calibrated(work: Work) -> list[float]:
    """Return the medians of three fresh processes, in nanoseconds."""
    return [float(median(timed(afresh(_delayed(work, 0))))) for _ in range(3)]


def _delayed(work: Work, delay_ns: int) -> Work:
    """Return an arm that runs through the delaying backend, whatever the delay."""
    planned = work.planned
    if planned.variant.backend != "onnxruntime":
        raise WorkerError(f"{planned.cell.id}: only models of onnxruntime can be delayed here")
    options = {**planned.variant.session_options, DELAY: delay_ns}
    variant = structs.replace(planned.variant, session_options=options)
    planned = structs.replace(planned, variant=variant)
    passes = structs.replace(work.passes, planned=planned, backend=BACKEND)
    changed = afresh(structs.replace(work, passes=passes))
    changed.found.planned = planned
    return changed


def _trial(kind: Kind, ready: Ready, delay_ns: int, terms: Terms) -> Trial:
    arms = structs.replace(
        ready,
        baseline=_delayed(ready.baseline, 0),
        candidate=_delayed(ready.candidate, delay_ns if kind == "slower" else 0),
    )
    clock = time.monotonic()
    (cell,) = gating.gate((arms,), terms, Silent())
    return _told(kind, cell, time.monotonic() - clock)


def _told(kind: Kind, cell: CellResult, seconds: float) -> Trial:
    (line,) = cell.lines
    return Trial(
        kind=kind, status=line.status, blocks=line.n, estimate=line.estimate, spread=line.spread,
        seconds=round(seconds, 1), reason=line.reason, lost=len(cell.lost),
        medians_ns=cell.medians_ns,
    )  # fmt: skip


def _write(kept: Kept) -> None:
    DATA.mkdir(parents=True, exist_ok=True)
    part = DATA / f"real-{kept.mode}.json.part"
    part.write_bytes(msgspec.json.format(msgspec.json.encode(kept)) + b"\n")
    part.replace(DATA / f"real-{kept.mode}.json")


def _pages() -> Iterator[str]:
    yield "# The gate on this machine"
    yield ""
    yield "`python -m benchmarks.gate_real`: the same arm twice, and with a real delay in every"
    yield "call of the candidate (`gate_slow` spins after each inference). Trials of both kinds"
    yield "alternate."
    for path in sorted(DATA.glob("real-*.json")):
        yield ""
        yield from _page(msgspec.json.decode(path.read_bytes(), type=Kept))


def _page(kept: Kept) -> Iterator[str]:
    yield f"## {kept.model} on {kept.task}, mode `{kept.mode}`"
    yield ""
    yield (
        "| arm | trials | regression | 95 % interval | ok | inconclusive | unmeasured "
        "| seconds a trial |"
    )
    yield "|---|---:|---:|---|---:|---:|---:|---|"
    delay = (
        f"+{100 * kept.slower:g} % ({kept.delay_ns / 1e3:.0f} us of {kept.median_ns / 1e6:.2f} ms)"
    )
    for kind, name in (("same", "itself"), ("slower", delay)):
        yield _row(name, [trial for trial in kept.trials if trial.kind == kind])
    steps = ", ".join(map(str, kept.looks))
    yield ""
    yield (
        f"Margin {100 * kept.margin:g} %, tolerated {100 * kept.tolerated:g} %, looks after "
        f"{steps}. {kept.started}, {kept.machine}, load before the run {kept.load_before:.2f}. "
        f"Every block's medians are in `data/real-{kept.mode}.json`."
    )


def _row(name: str, trials: Sequence[Trial]) -> str:
    counts = [sum(trial.status == status for trial in trials) for status in
              ("regression", "ok", "inconclusive", "absent")]  # fmt: skip
    low, high = wilson(counts[0], len(trials))
    seconds = sorted(trial.seconds for trial in trials)
    return (
        f"| {name} | {len(trials)} | {counts[0]} | {100 * low:.0f} to {100 * high:.0f} % | "
        f"{counts[1]} | {counts[2]} | {counts[3]} | "
        f"{median(seconds):.0f} ({seconds[0]:.0f} to {seconds[-1]:.0f}) |"
    )


if __name__ == "__main__":
    main()
