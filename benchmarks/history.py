"""`steelyard history`: its false alarms, what it finds, and how long thousands of runs take.

    nice -n 19 python -m benchmarks.history --series 200 --runs 3000

Seeded; runs are made in a temporary folder, which is removed; SQL needs the extra `report`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from tests.unit import builders, historic
from tests.unit.historic import CELL

from steelyard.history import reading, text
from steelyard.history.changes import Rule, detect
from steelyard.history.series import history
from steelyard.history.types import Address, Kept
from steelyard.record_file import encode
from steelyard.report import query
from steelyard.stats import wilson

RULE = Rule(magnitude=0.05)
LENGTH, STEP, NEAR = 60, 40, 3
# Cells a run, besides the one that is asked for.
OTHERS = 9


def simulated(series: int, noise: float, share: float, seed: int = 1) -> tuple[int, int]:
    """Return how many flat series alarm, and in how many a step is found where it is."""
    draw = np.random.default_rng(seed)
    slower = np.where(np.arange(LENGTH) >= STEP, 1 + share, 1.0)
    alarms = found = 0
    for _ in range(series):
        flat = np.exp(draw.normal(0.0, noise, LENGTH))
        alarms += bool(detect(flat.tolist(), RULE))
        steps = detect((flat * slower).tolist(), RULE)
        found += any(abs(step.index - STEP) <= NEAR for step in steps)
    return alarms, found


def rates(series: int) -> Iterator[str]:
    """Yield a line for each noise: alarms, and +8 % found, with their 95 % intervals."""
    for noise in (0.01, 0.02, 0.03, 0.05):
        alarms, found = simulated(series, noise, 0.08)
        told = [f"{k / series:.3f} [{low:.3f}, {high:.3f}]" for k, (low, high) in (
            (alarms, wilson(alarms, series)), (found, wilson(found, series))
        )]  # fmt: skip
        yield f"noise {noise:.0%}, {series} series of {LENGTH}: alarms {told[0]}, found {told[1]}"


def write(folder: Path, count: int) -> None:
    """Write `count` runs of ten cells each."""
    for number, one in enumerate(historic.series(historic.stepped(count, count // 2))):
        others = [
            historic.record(number, 2_000_000, builders.cell(model=f"other-{index}"))
            for index in range(OTHERS)
        ]
        home = folder / one.run
        home.mkdir()
        (home / "cpu-1t.json").write_bytes(encode(historic.run_file(one, *others)))


def timed(count: int) -> Iterator[str]:
    """Yield how long a history of `count` runs takes, and SQL over them."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, count)
        begun = time.process_time()
        kept: tuple[Kept, ...] = reading.read([folder], CELL).kept
        read = time.process_time()
        lines = sum(1 for _ in text.told(history(kept, Address(cell=CELL))))
        yield f"history of {count} runs of {OTHERS + 1} cells: {read - begun:.1f} s of processor "
        yield f"  to read, {time.process_time() - read:.1f} s to judge and show in {lines} lines"
        begun = time.process_time()
        with query.queried(sorted(folder.iterdir()), "SELECT count(*) FROM cells") as answer:
            (row,) = list(answer.rows)
        yield f"query: {time.process_time() - begun:.1f} s of processor for {row[0]} records"


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3000)
    asked = parser.parse_args()
    for line in rates(asked.series) if asked.series else ():
        print(line, flush=True)
    for line in timed(asked.runs) if asked.runs else ():
        print(line, flush=True)


if __name__ == "__main__":
    main()
