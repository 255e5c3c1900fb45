"""A bill of materials of the models that were weighed: CycloneDX 1.6 in JSON, metrics included."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from steelyard import __version__, record_figures
from steelyard.card import File, TaskCard
from steelyard.catalog import Catalog, Found
from steelyard.record import Record, RunFile
from steelyard.report import joules
from steelyard.report.columns import cell_row
from steelyard.report.exports.picked import Picked, all_models, one_model
from steelyard.report.units import clean

SPEC = "1.6"
# Licences on the SPDX list that our cards are known to name; others go by their name.
_SPDX = frozenset(
    {
        "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0",
        "CC-BY-SA-4.0", "CC0-1.0", "GPL-2.0-only", "GPL-3.0-only", "LGPL-3.0-only", "MIT",
        "MPL-2.0", "ODbL-1.0", "PDDL-1.0",
    }
)  # fmt: skip
_HASH = "sha256 over the sorted hashes of the artefact's files"
_UUID = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # RFC 9562, the name space of URLs

Json = dict[str, Any]


def text(runs: Sequence[RunFile], found: Catalog, model: str | None) -> str:
    """Return the bill of one model, or of all; the same runs give the same text.

    Raises UnknownNameError where `model` is not in the runs.
    """
    picked = (one_model(runs, model),) if model else all_models(runs)
    pairs = [pair for one in picked for pair in one.found]
    tasks = dict.fromkeys(record.cell.task for _, record in pairs)
    bill: Json = {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "version": 1,
        "metadata": {
            "timestamp": max(record.started for _, record in pairs),
            "tools": {
                "components": [{"type": "application", "name": "steelyard", "version": __version__}]
            },
        },
        "components": [
            *(_model(one, found) for one in picked),
            *(_data(task, pairs, found.tasks.get(task)) for task in tasks),
        ],
    }
    body = msgspec.json.encode(bill, order="sorted")
    bill = {"serialNumber": f"urn:uuid:{uuid.uuid5(_UUID, body.decode())}", **bill}
    return msgspec.json.format(msgspec.json.encode(bill), indent=2).decode() + "\n"


def _model(picked: Picked, found: Catalog) -> Json:
    entry = found.models.get(picked.model)
    records = [record for _, record in picked.found]
    artifacts = sorted({(r.artifact.sha256, r.cell.task) for r in records if r.artifact})
    hashes = sorted({sha256 for sha256, _ in artifacts})
    component: Json = {
        "type": "machine-learning-model",
        "bom-ref": _ref("model", picked.name),
        "name": clean(picked.name),
        "modelCard": _card(picked),
        "properties": list(_properties(records, artifacts)),
    }
    if len(hashes) == 1:
        component["hashes"] = [_sha256(hashes[0])]
    if entry is not None:
        component["description"] = clean(entry.card.title)
        component["licenses"] = _licences(entry.card.licence)
        component["components"] = [_file(file, picked.name) for file in entry.card.files]
    return component


def _card(picked: Picked) -> Json:
    tasks = dict.fromkeys(record.cell.task for _, record in picked.found)
    metrics = [one for run, record in picked.found for one in _metrics(run, record)]
    return {
        "modelParameters": {
            "task": "text-classification",
            "datasets": [{"ref": _ref("data", task)} for task in tasks],
        },
        "quantitativeAnalysis": {"performanceMetrics": metrics},
    }


def _metrics(run: RunFile, record: Record) -> Iterator[Json]:
    """Yield scores, times, memory and energy with their intervals; a unit stands in the type."""
    where = clean(f"{record.cell.task} on {record.cell.device}")
    for score in record.scores:
        yield _metric(f"{score.metric}", score.value, where, (score.low, score.high))
    row = cell_row(run, record)
    yield from _known("latency_p50_ns", row.p50_ns, where, (row.p50_low_ns, row.p50_high_ns))
    yield from _known("latency_p99_ns", row.p99_ns, where, (row.p99_low_ns, row.p99_high_ns))
    yield from _known("memory_peak_bytes", row.memory_peak_bytes, where, (None, None))
    if row.energy_gross_j is not None:
        tier = joules.TIERS[row.energy_tier or record_figures.MODELLED]
        joule, off = row.energy_gross_j, row.energy_gross_u_j
        ends = (joule - off, joule + off) if off is not None else (None, None)
        yield _metric(f"energy_gross_j ({tier})", joule, where, ends)


def _known(
    kind: str, value: float | None, where: str, ends: tuple[float | None, float | None]
) -> Iterator[Json]:
    if value is not None:
        yield _metric(kind, value, where, ends)


def _metric(kind: str, value: float, where: str, ends: tuple[float | None, float | None]) -> Json:
    metric: Json = {"type": clean(kind), "value": repr(value), "slice": where}
    low, high = ends
    if low is not None and high is not None:
        metric["confidenceInterval"] = {"lowerBound": repr(low), "upperBound": repr(high)}
    return metric


def _properties(records: Sequence[Record], artifacts: list[tuple[str, str]]) -> Iterator[Json]:
    yield {"name": "steelyard:hash", "value": _HASH}
    if len({sha256 for sha256, _ in artifacts}) > 1:
        # Trained anew for each task: one model, several artefacts.
        for sha256, task in artifacts:
            yield {"name": f"steelyard:artefact:{clean(task)}", "value": sha256}
    for name in ("precision", "backend", "role"):
        for value in sorted({clean(getattr(record, name)) for record in records}):
            yield {"name": f"steelyard:{name}", "value": value}


def _file(file: File, owner: str) -> Json:
    return {
        "type": "file",
        "bom-ref": _ref("file", f"{owner}/{file.name}"),
        "name": file.name,
        "hashes": [_sha256(file.sha256)],
        "licenses": _licences(file.licence),
    }


def _data(
    task: str, pairs: Sequence[tuple[RunFile, Record]], entry: Found[TaskCard] | None
) -> Json:
    """Return a task's data; its hash is over the items as JSON lines, folds included."""
    hashes = {r.data_sha256 for _, r in pairs if r.cell.task == task and r.data_sha256}
    component: Json = {
        "type": "data",
        "bom-ref": _ref("data", task),
        "name": clean(task),
        "hashes": [_sha256(one) for one in sorted(hashes)],
        "data": [{"type": "dataset", "name": clean(task)}],
    }
    if entry is not None:
        component["version"] = str(entry.card.version)
        component["description"] = clean(entry.card.title)
        component["licenses"] = _licences(entry.card.licence)
        component["components"] = [_file(file, f"data/{task}") for file in entry.card.files]
    return component


def _ref(kind: str, name: str) -> str:
    return f"{kind}:{clean(name)}"


def _sha256(content: str) -> Json:
    return {"alg": "SHA-256", "content": content}


def _licences(licence: str) -> list[Json]:
    known = {"id": licence} if licence in _SPDX else {"name": clean(licence)}
    return [{"license": known}]
