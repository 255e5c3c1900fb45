"""How often the gate cries wolf, and what it finds, on simulated machines; seeded.

Run: python -m benchmarks.gate_simulation [trials]. Writes results/gate/simulation.json and
README.md. The blocks are simulated, the judgement is the gate's own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from benchmarks.gate_noise import Noise, blocks
from msgspec import Struct

from steelyard.gate.bounds import DEDICATED, ELSEWHERE, TOLERATED
from steelyard.gate.sequence import ALPHA, Looks, find
from steelyard.gate.types import Bounds, Status
from steelyard.stats import wilson

OUT = Path(__file__).parents[1] / "results" / "gate"
DATA = OUT / "data"
SEED = 20261123
CHANGES = (-0.05, 0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.10)
MACHINES: dict[str, tuple[Noise, float]] = {
    "board": (Noise(process=0.008, call=0.05), DEDICATED),
    "virtual machine": (Noise(), ELSEWHERE),
    "unlucky processes": (Noise(process=0.015, slow_share=0.05), ELSEWHERE),
    "drifting": (Noise(process=0.015, drift=0.01), ELSEWHERE),
    "noisy": (Noise(process=0.06), ELSEWHERE),
    "all noise": (Noise(process=0.2), ELSEWHERE),
}


class Row(Struct, frozen=True, kw_only=True):
    """What the gate said of one machine and one true change, as counts of trials."""

    machine: str
    margin: float
    change: float
    trials: int
    ok: int
    regression: int
    inconclusive: int
    mean_blocks: float


def judge(logs: Sequence[float], within: Bounds, looks: Looks) -> tuple[Status, int]:
    """Look as the gate does; return what it says and after how many blocks."""
    for n in looks.blocks:
        found = find(logs[:n], within, looks)
        if found.p_fine <= ALPHA:
            return "ok", n
        if found.p_slow <= ALPHA:
            return "regression", n
    return "inconclusive", looks.blocks[-1]


def rows(trials: int) -> Iterator[Row]:
    looks = Looks()
    for machine, (noise, margin) in MACHINES.items():
        within = Bounds(tolerated=TOLERATED * margin, margin=margin)
        for change in CHANGES:
            generator = np.random.default_rng(SEED)
            said = [
                judge(blocks(looks.blocks[-1], change, noise, generator).tolist(), within, looks)
                for _ in range(trials)
            ]
            verdicts = [status for status, _ in said]
            yield Row(
                machine=machine,
                margin=margin,
                change=change,
                trials=trials,
                ok=verdicts.count("ok"),
                regression=verdicts.count("regression"),
                inconclusive=verdicts.count("inconclusive"),
                mean_blocks=sum(n for _, n in said) / trials,
            )


def page(found: Sequence[Row]) -> Iterator[str]:
    steps = ", ".join(map(str, Looks().blocks))
    yield "# The gate on simulated machines"
    yield ""
    yield "`python -m benchmarks.gate_simulation` simulates blocks of fresh processes with day,"
    yield "drift, process and call noise and lets the gate judge them at its defaults: looks after"
    yield f"{steps} blocks, {100 * ALPHA:g} % one-sided over all looks, a margin of"
    yield f"{100 * DEDICATED:g} % on a board and {100 * ELSEWHERE:g} % elsewhere, of which"
    yield f"{100 * TOLERATED:g} % is tolerated. {found[0].trials} trials a row, seed {SEED}; what a"
    yield "machine's noise is stands in `data/simulation.json`. No real device was measured here."
    yield ""
    yield "| machine | true change | regression | 95 % interval | ok | inconclusive | blocks |"
    yield "|---|---:|---:|---|---:|---:|---:|"
    for row in found:
        low, high = wilson(row.regression, row.trials)
        yield (
            f"| {row.machine} | {100 * row.change:+.0f} % | {_share(row.regression, row)} | "
            f"{100 * low:.2f} to {100 * high:.2f} % | {_share(row.ok, row)} | "
            f"{_share(row.inconclusive, row)} | {row.mean_blocks:.1f} |"
        )
    yield ""
    yield "At no change a regression is a false alarm. Between what is tolerated and the margin"
    yield "either answer is right. On machines with more noise than the default blocks can bear,"
    yield "changes are missed as *inconclusive*, not as *ok*, and the gate says how many blocks"
    yield "they need."


def _share(count: int, row: Row) -> str:
    return f"{100 * count / row.trials:.2f} %"


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    began = time.monotonic()
    found = tuple(rows(trials))
    DATA.mkdir(parents=True, exist_ok=True)
    noise = {name: msgspec.to_builtins(noise) for name, (noise, _) in MACHINES.items()}
    kept = {
        "seed": SEED, "alpha": ALPHA, "looks": Looks().blocks, "tolerated_of_margin": TOLERATED,
        "machines": noise, "rows": found,
    }  # fmt: skip
    (DATA / "simulation.json").write_bytes(msgspec.json.format(msgspec.json.encode(kept)) + b"\n")
    write_page("simulation", page(found))
    print(f"{len(found)} rows of {trials} trials in {time.monotonic() - began:.0f} s: {OUT}")


def write_page(part: str, lines: Iterator[str]) -> None:
    """Keep one part of the page; README.md is all parts that there are, simulation first."""
    (DATA / f"{part}.md").write_text("\n".join(lines) + "\n")
    parts = [DATA / f"{name}.md" for name in ("simulation", "real")]
    told = [one.read_text() for one in parts if one.is_file()]
    (OUT / "README.md").write_text("\n".join(told))


if __name__ == "__main__":
    main()
