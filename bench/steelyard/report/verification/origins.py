"""Where a run came from: cards, data sets and artefacts, as far as they are at hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from steelyard import __version__
from steelyard.catalog import Catalog, Found
from steelyard.errors import SteelyardError
from steelyard.prepare import artifacts as kept_artifacts
from steelyard.prepare import items
from steelyard.prepare.cache import Cache
from steelyard.prepare.data import Dataset
from steelyard.prepare.hashing import folder_sha256
from steelyard.progress import Progress
from steelyard.record import Record, RunFile
from steelyard.report.verification.answers import Kept
from steelyard.report.verification.lines import (
    Line,
    counted,
    differs,
    note,
    ok,
    unchecked,
    wrong,
)

# A record is foreign text: nothing else becomes part of a path.
_KEY = re.compile(r"[0-9a-f]{32}-[0-9a-f]{16}")
_WHICH = (
    "one of them is of another version. To see which, make it anew: with "
    "STEELYARD_CACHE=/some/empty/folder, steelyard prepare -k {task}, then steelyard verify RUN"
)


def cards(runs: Sequence[RunFile], found: Catalog) -> list[Line]:
    """Compare the cards that the run was made with to the present ones."""
    records = [record for run in runs for record in run.records]
    tasks = {(r.cell.task, r.task_sha256) for r in records}
    models = {(r.cell.model, r.model_sha256) for r in records}
    lines = [*_cards("task", tasks, found.tasks), *_cards("model", models, found.models)]
    same = len(tasks) + len(models) - len(lines)
    return lines + ([ok(f"cards: {same} of tasks and models are the present ones")] if same else [])


def data(kept: Kept, runs: Sequence[RunFile], found: Catalog, cache: Cache) -> list[Line]:
    """Hold data sets, and the labels that were expected, against those in the cache.

    What is not there is not fetched, generated or read for this.
    """
    by_task: dict[str, list[tuple[RunFile, Record]]] = {}
    for run in runs:
        for record in run.records:
            if record.data_sha256 and record.cell.task in found.tasks:
                by_task.setdefault(record.cell.task, []).append((run, record))
    lines: list[Line] = []
    same = 0
    for task, pairs in by_task.items():
        entry = found.tasks[task]
        dataset = items.kept(entry, cache)
        if dataset is None:
            lines.append(unchecked(f"data of {task}: not in the cache; steelyard prepare gets it"))
            continue
        faults = [*_data(task, pairs, dataset, entry.sha256), *_labels(pairs, kept, dataset)]
        same += not faults
        lines += faults
    if same:
        lines.append(ok(f"data: {counted(same, 'task')}, items and labels as in the cache"))
    return lines


def artifacts(runs: Sequence[RunFile], cache: Cache, progress: Progress) -> list[Line]:
    """Hash the artefacts that the cache holds; they may be large."""
    wanted: dict[tuple[str, str], str] = {}
    for run in runs:
        for record in run.records:
            ref = record.artifact
            if ref is not None:
                wanted.setdefault((ref.recipe_sha256, ref.sha256), record.cell.id)
    lines: list[Line] = []
    others: dict[str, list[str]] = {}
    here = 0
    for (key, sha256), cell in wanted.items():
        folder = _folder(cache, key)
        if folder is None:
            continue
        here += 1
        progress.say(f"hashing the artefact of {cell}")
        found = _artifact(folder, sha256, cell)
        if isinstance(found, Line):
            lines.append(found)
        elif found is not None:
            others.setdefault(cell.partition("/")[0], []).append(found)
    lines += [_others(task, found) for task, found in others.items()]
    absent = len(wanted) - here
    if absent:
        lines.append(
            unchecked(f"artefacts: {absent} of {len(wanted)} are not in this machine's cache")
        )
    if here and not others:
        lines.append(ok(f"artefacts: {here} in the cache are those that were measured"))
    return lines


def _cards(
    kind: str, used: Iterable[tuple[str, str]], present: dict[str, Found[Any]]
) -> Iterator[Line]:
    for name, sha256 in sorted(used):
        entry = present.get(name)
        if entry is None:
            yield unchecked(f"{kind} {name}: there is no such card here; --cards DIR finds yours")
        elif entry.sha256 != sha256:
            yield note(
                f"{kind} {name}: made with another card ({sha256[:12]}, now {entry.sha256[:12]})"
            )


def _data(
    task: str, pairs: Sequence[tuple[RunFile, Record]], dataset: Dataset, card_sha256: str
) -> Iterator[Line]:
    for run, record in pairs:
        if record.data_sha256 == dataset.sha256:
            continue
        if record.task_sha256 != card_sha256 or run.tool_version != __version__:
            yield note(f"data of {task}: not the present data set; the card or steelyard changed")
            return
        yield differs(
            f"data of {task}: the run used {str(record.data_sha256)[:12]}, this machine's cache "
            f"holds {dataset.sha256[:12]}; {_WHICH.format(task=task)}"
        )
        return


def _labels(
    pairs: Sequence[tuple[RunFile, Record]], kept: Kept, dataset: Dataset
) -> Iterator[Line]:
    """Hold what predictions say was expected against the same data set."""
    labels = {item.id: item.label for item in dataset.items}
    for _, record in pairs:
        if record.data_sha256 != dataset.sha256:
            continue
        for one in kept.by_hash.get(record.predictions_sha256 or "", ()):
            if labels.get(one.id) != one.expected:
                yield wrong(
                    f"{record.cell.id}: item {one.id}: {one.expected!r} expected, "
                    f"{labels.get(one.id)!r} in the data set"
                )
                break


def _folder(cache: Cache, key: str) -> Path | None:
    if not _KEY.fullmatch(key):
        return None
    folder = cache.root / kept_artifacts.KIND / key
    return folder if folder.is_dir() else None


def _artifact(folder: Path, sha256: str, cell: str) -> Line | str | None:
    """Return how an artefact in the cache is another one, that it cannot be read, or None."""
    try:
        found, _ = folder_sha256(folder)
    except (OSError, SteelyardError) as error:
        return unchecked(f"artefact of {cell}: cannot be read: {error}")
    if found == sha256:
        return None
    return f"the run used {sha256[:12]} for {cell}, this machine's cache holds {found[:12]}"


def _others(task: str, found: Sequence[str]) -> Line:
    more = f" (and {len(found) - 1:,} more)" if len(found) > 1 else ""
    return differs(f"artefacts of {task}: {found[0]}{more}; {_WHICH.format(task=task)}")
