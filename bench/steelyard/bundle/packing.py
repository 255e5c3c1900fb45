"""Prepare a suite's cells and write all that running them needs into one file."""

from __future__ import annotations

import os
import platform
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import structs

from steelyard import __version__, plugins
from steelyard.bundle.types import CARDS, ENTRIES, LISTING, SCHEMA, Bundle, Listed, Packed
from steelyard.errors import PrepareError, Refusal, SteelyardError
from steelyard.measure import Bench, prepare_cell
from steelyard.plan import PlannedCell, Suite
from steelyard.prepare import artifacts, data, drawing, items
from steelyard.prepare.hashing import MANIFEST, file_sha256, files_below

# A zip file's clock starts then; a real time would make two bundles of the same things differ.
_WHEN = (1980, 1, 1, 0, 0, 0)
# Weights hardly shrink and take minutes on a board to inflate.
_STORED_FROM = 1 << 20


def pack(suite: Suite, planned: Sequence[PlannedCell], bench: Bench, out: Path) -> Packed:
    """Prepare the cells and write the bundle; whole or not at all.

    Cells that cannot be prepared are left out, with the reason. Raises PrepareError where none is
    left, or the file cannot be written.
    """
    with bench.cache.workspace() as desk:
        ready, left_out = _prepared(planned, bench, desk)
        if not ready:
            first = f": {left_out[0][0]}: {left_out[0][1]}" if left_out else ""
            raise PrepareError(f"{out}: no cell could be prepared{first}")
        files = {name: path for _, needed in ready for name, path in needed.items()}
        bundle = Bundle(
            schema=SCHEMA,
            tool_version=__version__,
            suite=_reduced(suite, [one for one, _ in ready]),
            cells=tuple(one.cell.id for one, _ in ready),
            files=tuple(_listed(name, path) for name, path in sorted(files.items())),
            machine=platform.machine() if any(_machine_bound(one) for one, _ in ready) else None,
        )
        _write(bundle, files, out)
    return Packed(
        path=out, size_bytes=out.stat().st_size, cells=bundle.cells, left_out=tuple(left_out)
    )


def _reduced(suite: Suite, ready: Sequence[PlannedCell]) -> Suite:
    """Return the suite with no task, model or variant but those of the cells."""
    tasks = {one.cell.task for one in ready}
    names = list(dict.fromkeys(one.cell.name for one in ready))
    kept = [
        structs.replace(
            entry,
            models=tuple(
                name
                for name in names
                if name in entry.models or name.partition("@")[0] in entry.models
            ),
            tasks=tuple(task for task in entry.tasks or suite.tasks if task in tasks),
        )
        for entry in suite.entries
    ]
    return structs.replace(
        suite,
        tasks=tuple(task for task in suite.tasks if task in tasks) or tuple(sorted(tasks)),
        entries=tuple(entry for entry in kept if entry.models and entry.tasks),
    )


def _prepared(
    planned: Sequence[PlannedCell], bench: Bench, desk: Path
) -> tuple[list[tuple[PlannedCell, dict[str, Path]]], list[tuple[str, str]]]:
    """Return each cell that could be prepared with its files, and why others could not."""
    ready: list[tuple[PlannedCell, dict[str, Path]]] = []
    left_out: list[tuple[str, str]] = []
    for one in planned:
        try:
            ready.append((one, _needed(one, bench, desk)))
        except SteelyardError as error:
            left_out.append((one.cell.id, str(error)))
    return ready, left_out


def _needed(planned: PlannedCell, bench: Bench, desk: Path) -> dict[str, Path]:
    """Return the files that a cell needs, by their names in the bundle; `desk` is for new ones."""
    if planned.prompted:
        raise Refusal(
            "a model that is asked in words chooses its prompt on the device; copy the cache"
        )
    artifact = prepare_cell(planned, bench)
    dataset = items.load(planned.task, bench.cache, bench.progress, offline=bench.offline)
    training = data.training_set(planned.task.card, dataset)
    if planned.subset is not None:
        training = drawing.restrict(training, planned.subset, planned.seed)
    lineage = artifacts.lineage(planned.model, planned.variant, training)
    named = desk / lineage
    named.write_text(artifact.path.name, encoding="ascii")
    found = {f"{ENTRIES}/{artifacts.LINEAGES}/{lineage}/{artifacts.NAMED}": named}
    for entry in (artifact.path, items.entry(planned.task, bench.cache)):
        found |= dict(_below(entry, f"{ENTRIES}/{entry.parent.name}/{entry.name}"))
    for kind, card in (("tasks", planned.task), ("models", planned.model)):
        name = f"{CARDS}/{kind}/{card.card.id}/card.toml"
        found[name] = card.folder / "card.toml"
    return found


def _below(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    """Yield the files of a cache entry but its manifest, which the other cache writes anew."""
    for path in files_below(folder):
        if path != folder / MANIFEST:
            yield f"{prefix}/{path.relative_to(folder).as_posix()}", path


def _machine_bound(planned: PlannedCell) -> bool:
    """Tell whether the recipe says that its artefacts are for one kind of processor."""
    recipe = plugins.load("recipes", planned.variant.recipe)
    return bool(getattr(recipe, "machine_bound", False))


def _listed(name: str, path: Path) -> Listed:
    return Listed(name=name, sha256=file_sha256(path), size_bytes=path.stat().st_size)


def _write(bundle: Bundle, files: dict[str, Path], out: Path) -> None:
    partial = out.with_name(f".{out.name}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as target:
            target.writestr(_head(LISTING, 0), msgspec.json.format(msgspec.json.encode(bundle)))
            for one in bundle.files:
                head = _head(one.name, one.size_bytes)
                with files[one.name].open("rb") as source, target.open(head, "w") as sink:
                    while block := source.read(1 << 20):
                        sink.write(block)
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(out)
    except OSError as error:
        raise PrepareError(f"{out}: cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


def _head(name: str, size: int) -> zipfile.ZipInfo:
    head = zipfile.ZipInfo(name, _WHEN)
    head.compress_type = zipfile.ZIP_STORED if size >= _STORED_FROM else zipfile.ZIP_DEFLATED
    head.external_attr = 0o100644 << 16
    head.file_size = size
    return head
