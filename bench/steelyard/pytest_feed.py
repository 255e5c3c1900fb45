"""Hand samples measured elsewhere to pytest-benchmark, as if its fixture had timed them.

Its tables, files, comparisons and histograms then work on cells. There is no public way in: this
uses what its fixture uses, `Metadata` and the session's list, as they are in 5.1 to 5.3.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from steelyard.record import Record

Fact = str | int | float | None


def feed(item: pytest.Item, record: Record) -> None:
    """Add the cell's end-to-end samples to the session, where there is one that wants them."""
    session = getattr(item.config, "_benchmarksession", None)
    measured = record.measurement("latency_end_to_end")
    if session is None or session.disabled or measured is None or not measured.values:
        return
    try:
        from pytest_benchmark.stats import Metadata

        metadata = Metadata(_source(item, record), iterations=1, options={"timer": "worker"})
        for nanoseconds in measured.values:
            metadata.update(nanoseconds / 1e9)
        session.benchmarks.append(metadata)
    except (ImportError, AttributeError, TypeError) as error:
        item.warn(
            pytest.PytestWarning(f"this pytest-benchmark takes no samples from outside: {error}")
        )


def facts(record: Record) -> dict[str, Fact]:
    """Return what a time alone does not say; None is what was not measured."""
    score, artifact = record.score(), record.artifact
    memory = record.measurement("memory_peak")
    return {
        "cell": record.cell.id,
        "outcome": record.outcome,
        "metric": record.metric,
        "score": score.value if score else None,
        "score_low": score.low if score else None,
        "score_high": score.high if score else None,
        "score_n": score.n if score else None,
        "memory_peak_bytes": memory.values[-1] if memory else None,
        "size_bytes": artifact.size_bytes if artifact else None,
        "parameters": artifact.parameters if artifact else None,
        "artifact_sha256": artifact.sha256 if artifact else None,
    }


def _source(item: pytest.Item, record: Record) -> SimpleNamespace:
    """Return what pytest-benchmark reads from its fixture; a task is a group, a table."""
    cell = record.cell
    return SimpleNamespace(
        name=item.name,
        fullname=item.nodeid,
        group=cell.task,
        param=f"{cell.name}/{cell.device}",
        params={
            "task": cell.task,
            "model": cell.model,
            "variant": cell.variant,
            "device": cell.device,
        },
        extra_info=facts(record),
        cprofile_stats=None,
        has_error=False,
    )
