"""Evaluation results for the head of a model card: `model-index` in YAML, for one model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steelyard.api import Score
from steelyard.catalog import Catalog
from steelyard.errors import ExportError
from steelyard.record import Record, RunFile
from steelyard.report.exports.picked import one_model
from steelyard.report.units import clean

# What the hub calls these metrics (its `evaluate` library), and with which arguments.
_METRICS: dict[str, tuple[str, dict[str, str]]] = {
    "accuracy": ("accuracy", {}),
    "macro-f1": ("f1", {"average": "macro"}),
    "f1": ("f1", {"average": "binary"}),
    "mcc": ("matthews_correlation", {}),
}
# YAML 1.1 breaks a line at these, even in quotes; JSON leaves them as they are.
_BREAKS = {ord(one): f"\\u{ord(one):04x}" for one in "\x7f\x85\u2028\u2029\ufeff"}


def text(runs: Sequence[RunFile], found: Catalog, model: str | None) -> str:
    """Return the card's head for one model; raise UnknownNameError or ExportError.

    A card's text goes below its second line of dashes. Times and energy stay out: they belong to
    a machine, and the hub's format has no place for it.
    """
    picked = one_model(runs, model)
    results = [_result(record, found) for _, record in picked.found if record.scores]
    if not results:
        raise ExportError(f"{picked.name}: no scores in these runs")
    index = {"model-index": [{"name": picked.name, "results": results}]}
    return f"---\n{''.join(_yaml(index, 0))}---\n"


def _result(record: Record, found: Catalog) -> dict[str, Any]:
    task = found.tasks.get(record.cell.task)
    title = task.card.title if task else record.cell.task
    return {
        "task": {"type": "text-classification", "name": title},
        "dataset": {
            "type": f"steelyard-{record.cell.task}",
            "name": title,
            "split": "test",
            **({"revision": record.data_sha256} if record.data_sha256 else {}),
            "args": _asked(record),
        },
        "metrics": [_metric(score, record) for score in record.scores],
    }


def _asked(record: Record) -> dict[str, Any]:
    sample = record.sample
    asked = {"items": sample.n, "items_total": sample.of, "seed": sample.seed} if sample else {}
    facts = {**asked, "device": record.cell.device, "task_card_sha256": record.task_sha256}
    return {key: value for key, value in facts.items() if value is not None}


def _metric(score: Score, record: Record) -> dict[str, Any]:
    kind, arguments = _METRICS.get(score.metric, (score.metric, {}))
    interval = {"low": score.low, "high": score.high, "method": score.method}
    known = {key: value for key, value in interval.items() if value is not None}
    return {
        "type": kind,
        "value": score.value,
        "name": f"{score.metric} of {record.cell.id}",
        "args": {**arguments, "n": score.n, **known},
    }


def _yaml(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Yield a mapping as YAML lines in block style; every text stands in quotes."""
    for key, one in value.items():
        if isinstance(one, Mapping):
            yield f"{'  ' * depth}{key}:\n"
            yield from _yaml(one, depth + 1)
        elif isinstance(one, list):
            yield f"{'  ' * depth}{key}:\n"
            for entry in one:
                first, *rest = _yaml(entry, depth + 1)
                yield f"{'  ' * depth}- {first.lstrip()}"
                yield from rest
        else:
            yield f"{'  ' * depth}{key}: {_scalar(one)}\n"


def _scalar(value: str | float) -> str:
    shown = clean(value) if isinstance(value, str) else value
    return json.dumps(shown, ensure_ascii=False).translate(_BREAKS)
