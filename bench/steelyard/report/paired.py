"""A variant beside its full-precision parent: how their answers and their speeds differ."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from steelyard import stats
from steelyard.api import Score
from steelyard.record import Prediction, Record
from steelyard.report import quantised
from steelyard.report.quantised import Against
from steelyard.verdict.answers import Answers, compare, right
from steelyard.verdict.matching import Hosts, Predictions, latency

__all__ = ["Answers", "Beside", "Hosts", "Predictions", "beside", "compare", "rescore_accuracy"]


class Beside(Struct, frozen=True, kw_only=True):
    """A variant set beside its full-precision parent.

    `speed` is the parent's median over the variant's, a process each: described, not tested.
    `memory` and `size` are the variant's peak and its bytes on disk over the parent's.
    """

    parent: str
    answers: Answers | None = None
    speed: float | None = None
    memory: float | None = None
    size: float | None = None
    warnings: tuple[str, ...] = ()


def beside(
    record: Record, parent: Record, predictions: Predictions, hosts: Hosts | None = None
) -> Beside:
    """Set a variant beside its parent, as far as both were measured.

    On unlike hosts only answers and sizes are compared; without `hosts` they are taken as alike.
    """
    ours, theirs = predictions.get(record.cell.id), predictions.get(parent.cell.id)
    answers = compare(theirs, ours) if ours and theirs else None
    alike = hosts is None or hosts.alike
    pair = Against(
        precision=record.precision,
        parent=parent.precision,
        speed=_speed(record, parent) if alike else None,
        memory=_ratio(_peak(record), _peak(parent)) if alike else None,
        size=_ratio(_size(record), _size(parent)),
        accuracy=answers.difference if answers else None,
    )
    return Beside(
        parent=parent.cell.variant,
        answers=answers,
        speed=pair.speed,
        memory=pair.memory,
        size=pair.size,
        warnings=quantised.warnings(pair, hosts.first if hosts else None),
    )


def rescore_accuracy(record: Record, predictions: Sequence[Prediction]) -> Score | None:
    """Score a part of a record's predictions, where its metric is accuracy."""
    if record.metric != "accuracy" or not predictions:
        return None
    correct, n = sum(map(right, predictions)), len(predictions)
    low, high = stats.wilson(correct, n)
    return Score(metric="accuracy", value=correct / n, n=n, low=low, high=high, method="wilson")


def _speed(record: Record, parent: Record) -> float | None:
    ours = latency(record, "latency_end_to_end", 0.5)
    theirs = latency(parent, "latency_end_to_end", 0.5)
    if not (isinstance(ours, stats.Quantile) and isinstance(theirs, stats.Quantile)):
        return None
    return theirs.value / ours.value if ours.value > 0 else None


def _peak(record: Record) -> float | None:
    measured = record.measurement("memory_peak")
    return measured.values[-1] if measured and measured.values else None


def _size(record: Record) -> int | None:
    return record.artifact.size_bytes if record.artifact else None


def _ratio(ours: float | None, theirs: float | None) -> float | None:
    return ours / theirs if ours is not None and theirs else None
