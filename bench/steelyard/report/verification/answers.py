"""Predictions: each file is the recorded one, and the scores follow from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec
from msgspec import Struct

from steelyard import plugins, store
from steelyard.api import Answer, Score, Scorer
from steelyard.card import TaskCard
from steelyard.catalog import Catalog
from steelyard.errors import SteelyardError, StoreError
from steelyard.record import Prediction, Record, RunFile
from steelyard.report.verification.lines import Line, counted, note, ok, unchecked, wrong

EXACT = 1e-12
# What store.write_predictions writes first: no name, no time, all deterministic but the last two
# bytes, which say how hard the compressor tried and on what system.
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00"
_TAILS = {bytes((effort, system)) for effort in (0, 2) for system in (3, 255)}


class Kept(Struct, frozen=True, kw_only=True):
    """The predictions that could be read, by the sha256 that names them, and what was found."""

    by_hash: dict[str, tuple[Prediction, ...]]
    lines: list[Line]


def kept(folder: Path, runs: Sequence[RunFile]) -> Kept:
    """Read every file of predictions that a record names."""
    records = [record for run in runs for record in run.records]
    found: dict[str, tuple[Prediction, ...]] = {}
    lines: list[Line] = []
    for digest in dict.fromkeys(r.predictions_sha256 for r in records if r.predictions_sha256):
        try:
            found[digest] = store.read_predictions(folder, digest)
        except (StoreError, msgspec.MsgspecError) as error:
            lines.append(wrong(str(error)))
        else:
            lines += _file(folder / "predictions" / f"{digest}.jsonl.gz")
    lines += [line for record in records for line in _of_record(record, found)]
    lines += _truth(records, found)
    if found and all(line.status != "wrong" for line in lines):
        n = sum(map(len, found.values()))
        lines.append(
            ok(
                f"predictions: {counted(n, 'answer')} in {counted(len(found), 'file')}, each with "
                "the sha256 of its name"
            )
        )
    return Kept(by_hash=found, lines=lines)


def scores(kept: Kept, runs: Sequence[RunFile], found: Catalog) -> list[Line]:
    """Score the kept predictions again, by each task's own scorer."""
    lines: list[Line] = []
    checked = 0
    for run in runs:
        for record in run.records:
            said = kept.by_hash.get(record.predictions_sha256 or "")
            if record.scores and said is None:
                lines.append(wrong(f"{record.cell.id}: scores without predictions to follow from"))
            elif record.scores and said:
                faults = list(_scores(run, record, said, found))
                checked += len(record.scores) - len(faults)
                lines += faults
    if checked:
        text = f"scores: {checked} recomputed from the predictions, with their intervals"
        lines.append(ok(text, scores=checked))
    return list(dict.fromkeys(lines))


def _file(path: Path) -> Iterator[Line]:
    """Hold a file's first bytes against what steelyard writes; the rest has checksums."""
    head = path.read_bytes()[:10]
    if head[:8] != _HEADER or head[8:] not in _TAILS:
        yield wrong(f"{path.name}: its first bytes were changed; what it holds is as recorded")


def _of_record(record: Record, found: dict[str, tuple[Prediction, ...]]) -> Iterator[Line]:
    said = found.get(record.predictions_sha256 or "")
    if said is None:
        return
    ids = {prediction.id for prediction in said}
    if len(ids) < len(said):
        yield wrong(f"{record.cell.id}: {len(said)} predictions of {len(ids)} items")
    if record.sample is not None and record.sample.n != len(said):
        yield wrong(f"{record.cell.id}: {record.sample.n} items asked, {len(said)} predictions")


def _truth(records: Sequence[Record], found: dict[str, tuple[Prediction, ...]]) -> Iterator[Line]:
    """Hold what was expected of an item against what other cells of the task expected of it."""
    expected: dict[tuple[str | None, str, str], tuple[str, str]] = {}
    for record in records:
        for one in found.get(record.predictions_sha256 or "", ()):
            key = (record.data_sha256, record.cell.task, one.id)
            first, cell = expected.setdefault(key, (one.expected, record.cell.id))
            if first != one.expected:
                yield wrong(
                    f"{record.cell.id}: item {one.id}: {one.expected!r} expected, "
                    f"{first!r} in {cell}"
                )
                break


def _scores(
    run: RunFile, record: Record, said: Sequence[Prediction], found: Catalog
) -> Iterator[Line]:
    """Yield a line for each score of a record that is not what its predictions give."""
    entry = found.tasks.get(record.cell.task)
    if entry is None:
        for _ in record.scores:
            yield unchecked(
                f"scores of {record.cell.task}: no such task card here; --cards finds it"
            )
        return
    other = "" if entry.sha256 == record.task_sha256 else " (by another card than the run's)"
    try:
        again = {one.metric: one for one in _again(said, entry.card)}
    except SteelyardError as error:
        again = {}
        other += f": {error}"
    for score in record.scores:
        line = _compared(score, again.get(score.metric), run)
        if line is not None:
            yield Line(status=line.status, text=f"{record.cell.id}: {line.text}{other}")


def _again(said: Sequence[Prediction], card: TaskCard) -> list[Score]:
    scorer: Scorer = plugins.load("scorers", card.scorer.name)
    given = [Answer(label=one.answer, scores=one.scores) for one in said]
    return scorer.score(given, [one.expected for one in said], card.labels, card.scorer.options)


def _compared(kept: Score, again: Score | None, run: RunFile) -> Line | None:
    if again is None:
        return wrong(f"{kept.metric} {kept.value:.6g} is recorded, and cannot be recomputed")
    if not _near(kept.value, again.value) or kept.n != again.n:
        return wrong(
            f"{kept.metric} {kept.value:.12g} of {kept.n} items is recorded, its predictions "
            f"give {again.value:.12g} of {again.n}"
        )
    if _near(kept.low, again.low) and _near(kept.high, again.high):
        return None
    made_with, here = run.host.packages.get("numpy"), version("numpy")
    ends = (
        f"{kept.metric} [{kept.low}, {kept.high}] is recorded, [{again.low}, {again.high}] follows"
    )
    if made_with == here:
        return wrong(ends)
    return note(f"{ends}: drawn with numpy {made_with}, here {here}")


def _near(kept: float | None, again: float | None) -> bool:
    if kept is None or again is None:
        return kept is again
    return abs(kept - again) <= EXACT
