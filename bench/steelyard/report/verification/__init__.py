"""Check a published run: what was kept must give what is told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from steelyard.catalog import Catalog
from steelyard.errors import SteelyardError
from steelyard.prepare.cache import Cache
from steelyard.progress import Progress
from steelyard.record import RunFile
from steelyard.report.rows import TaskTable
from steelyard.report.verification import answers, files, origins, pins, published, samples
from steelyard.report.verification.lines import Line, conclusion, wrong

__all__ = ["Ground", "Line", "conclusion", "sound", "verify"]


class Ground(Struct, frozen=True, kw_only=True):
    """What a run is checked against: the present cards, this machine's cache."""

    catalog: Catalog
    cache: Cache
    progress: Progress


def verify(folder: Path, ground: Ground) -> tuple[tuple[Line, ...], tuple[RunFile, ...]]:
    """Check all of a run's folder but its tables; return the lines and the runs that were read."""
    lines, runs = files.run_files(folder)
    kept = answers.kept(folder, runs)
    lines += pins.journal(folder, runs)
    lines += pins.sums(folder)
    lines += files.others(folder, runs)
    lines += kept.lines
    lines += samples.samples(runs, pinned=pins.pinned(folder))
    lines += answers.scores(kept, runs, ground.catalog)
    lines += origins.cards(runs, ground.catalog)
    lines += origins.data(kept, runs, ground.catalog, ground.cache)
    lines += origins.artifacts(runs, ground.cache, ground.progress)
    return tuple(lines), runs


def tables(
    folder: Path, made: Sequence[TaskTable] | SteelyardError, others: Iterable[Path] = ()
) -> tuple[Line, ...]:
    """Check the published tables beside a run, and `others`, against the tables made anew."""
    if isinstance(made, SteelyardError):
        return (wrong(f"tables: cannot be made: {made}"),)
    return tuple(published.tables(folder, made, others))


def sound(lines: Iterable[Line]) -> bool:
    """Tell whether nothing was found wrong."""
    return all(line.status != "wrong" for line in lines)
