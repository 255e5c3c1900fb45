"""Runs -> where every figure comes from: versions, commits, hashes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from steelyard.record import Record, RunFile
from steelyard.report.html.view import Run

HASHES = ("cell", "outcome", "task", "data", "model", "recipe", "artefact", "predictions")
# As much of a sha256 as tells it from any other; the run files have it whole.
SHOWN = 16
NONE = "-"


def runs(files: Sequence[RunFile]) -> tuple[Run, ...]:
    """Return what is known of each run file's origin."""
    return tuple(_run(file) for file in files)


def _run(file: RunFile) -> Run:
    outcomes = Counter(record.outcome for record in file.records)
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in outcomes.items())
    return Run(
        facts=(
            ("run", file.run),
            ("suite", file.suite),
            ("device", file.device),
            ("started", file.started),
            ("steelyard", file.tool_version),
            ("commit", file.commit or "not recorded"),
            ("records", f"{len(file.records)}: {told}" if told else "none"),
        ),
        packages=tuple(f"{name} {version}" for name, version in sorted(file.host.packages.items())),
        hashes=tuple(_hashes(record) for record in file.records),
    )


def _hashes(record: Record) -> tuple[str, ...]:
    artifact = record.artifact
    digests = (
        record.task_sha256,
        record.data_sha256,
        record.model_sha256,
        artifact.recipe_sha256 if artifact else None,
        artifact.sha256 if artifact else None,
        record.predictions_sha256,
    )
    short = (digest[:SHOWN] if digest else NONE for digest in digests)
    return (record.cell.id, record.outcome.replace("_", " "), *short)
