"""Count the answers that two runs of the same artefacts on two processors gave differently.

    python -m benchmarks.flips results/local/ON-X86 results/local/ON-ARM [--emulated] [--most 0.02]

Cells are paired by their id; artefact, data and items must be the same. Exit status: 0 fine, 1 more
than `--most` of a cell's answers differ, 3 the runs cannot be compared.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from steelyard import store
from steelyard.errors import SteelyardError, StoreError
from steelyard.record import Host, Prediction, Record

TOO_MANY, INCOMPARABLE = 1, 3
HEADER = ("cell", "items", "flips", "scores differ by", "metric", "here", "there", "seconds")


class Side(Struct, frozen=True, kw_only=True):
    """One record of a run with its answers, and the machine that gave them."""

    host: Host
    record: Record
    answers: tuple[Prediction, ...]


class Flip(Struct, frozen=True, kw_only=True):
    """An item that two processors answer differently."""

    id: str
    expected: str
    here: str
    there: str


class Compared(Struct, frozen=True, kw_only=True):
    """A cell on two processors. `widest` is the largest difference of any score of any item.

    None where a session gives no scores. `scores` and `seconds` have a value a side.
    """

    cell: str
    items: int
    flips: tuple[Flip, ...]
    widest: float | None
    metric: str
    scores: tuple[float | None, float | None]
    seconds: tuple[float, float]


def sides(folder: Path) -> dict[str, Side]:
    """Return a run's answered cells by their ids; raise StoreError where it has none."""
    found = {
        record.cell.id: Side(
            host=run.host,
            record=record,
            answers=store.read_predictions(folder, record.predictions_sha256),
        )
        for run in store.read_runs(folder)
        for record in run.records
        if record.answered and record.predictions_sha256 is not None
    }
    if not found:
        raise StoreError(f"{folder}: no cell was answered")
    return found


def compare(cell: str, here: Side, there: Side) -> Compared:
    """Set two sides of a cell beside each other, item by item.

    Raises StoreError where they are not the same artefact asked for the same items.
    """
    if _asked(here) != _asked(there):
        raise StoreError(f"{cell}: not the same artefact, data and items on both sides")
    pairs = list(zip(here.answers, there.answers, strict=True))
    return Compared(
        cell=cell,
        items=len(pairs),
        flips=tuple(
            Flip(id=a.id, expected=a.expected, here=a.answer, there=b.answer)
            for a, b in pairs
            if a.answer != b.answer
        ),
        widest=max(
            (
                abs(x - y)
                for a, b in pairs
                for x, y in zip(a.scores or (), b.scores or (), strict=True)
            ),
            default=None,
        ),
        metric=here.record.metric,
        scores=(_score(here.record), _score(there.record)),
        seconds=(here.record.seconds, there.record.seconds),
    )


def paired(here: dict[str, Side], there: dict[str, Side]) -> tuple[Compared, ...]:
    """Return every cell of both runs; raise StoreError where one has a cell more."""
    alone = sorted(here.keys() ^ there.keys())
    if alone:
        raise StoreError(f"{alone[0]}: answered on one side only")
    return tuple(compare(cell, side, there[cell]) for cell, side in here.items())


def differing(found: Sequence[Compared], most: float) -> tuple[str, ...]:
    """Return the cells of which more than the share `most` of the answers differ."""
    return tuple(one.cell for one in found if len(one.flips) > most * one.items)


def not_emulated(there: dict[str, Side]) -> str | None:
    """Say which machine does not call itself emulated, or return None."""
    real = sorted(side.host.machine for side in there.values() if side.host.emulated is None)
    return f"a record of {real[0]} is not marked as emulated" if real else None


def markdown(found: Sequence[Compared], here: Host, there: Host) -> str:
    """Return the table, the machines under it, and every flip."""
    lines = [_row(HEADER), _row(["---"] * len(HEADER)), *(_row(_cells(one)) for one in found)]
    flips = [
        f"- {one.cell}: item {flip.id}: {flip.here} here, {flip.there} there; "
        f"the label is {flip.expected}"
        for one in found
        for flip in one.flips
    ]
    machines = [f"here: {_machine(here)}", f"there: {_machine(there)}"]
    return "\n".join([*lines, "", *machines, *([""] if flips else []), *flips])


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare two runs and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("here", type=Path)
    parser.add_argument("there", type=Path)
    parser.add_argument("--emulated", action="store_true", help="THERE must say that it was")
    parser.add_argument("--most", type=float, default=1.0, help="share of answers that may differ")
    asked = parser.parse_args(arguments)
    try:
        here, there = sides(asked.here), sides(asked.there)
        found = paired(here, there)
    except SteelyardError as error:
        print(error, file=sys.stderr)
        return INCOMPARABLE
    print(markdown(found, next(iter(here.values())).host, next(iter(there.values())).host))
    odd = not_emulated(there) if asked.emulated else None
    if odd is not None:
        print(odd, file=sys.stderr)
        return INCOMPARABLE
    many = differing(found, asked.most)
    for cell in many:
        print(f"{cell}: more than {asked.most:.1%} of the answers differ", file=sys.stderr)
    return TOO_MANY if many else 0


def _asked(side: Side) -> tuple[object, ...]:
    artifact = side.record.artifact
    asked = tuple((one.id, one.expected) for one in side.answers)
    return (artifact.sha256 if artifact else None, side.record.data_sha256, asked)


def _score(record: Record) -> float | None:
    score = record.score()
    return score.value if score else None


def _cells(one: Compared) -> tuple[str, ...]:
    here, there = ("-" if score is None else f"{score:.3f}" for score in one.scores)
    widest = "-" if one.widest is None else f"{one.widest:.2g}"
    seconds = f"{one.seconds[0]:.0f}, {one.seconds[1]:.0f}"
    flips = str(len(one.flips))
    return (one.cell, str(one.items), flips, widest, one.metric, here, there, seconds)


def _machine(host: Host) -> str:
    kind = f"emulated: {host.emulated}" if host.emulated else "not emulated"
    onnxruntime = host.packages.get("onnxruntime", "none")
    core = host.core or host.cpu
    return f"{host.machine}, {core}, Python {host.python}, onnxruntime {onnxruntime}; {kind}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
