"""Two cells on the same items: how their answers and their speeds differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from steelyard import stats
from steelyard.api import Score
from steelyard.record import Host, Prediction, Record
from steelyard.report import quantised
from steelyard.report.quantised import Against


class Answers(Struct, frozen=True, kw_only=True):
    """A variant's right answers less its parent's, over the n items that both were asked.

    `flips` counts the items on which their answers differ, right or wrong; `p_value` is exact
    McNemar.
    """

    n: int
    difference: stats.Difference
    p_value: float
    flips: int


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


class Hosts(Struct, frozen=True, kw_only=True):
    """The machines that a variant and its parent were measured on."""

    variant: Host
    parent: Host

    @property
    def alike(self) -> bool:
        """Whether speeds and memory of the two can be compared."""
        return _hardware(self.variant) == _hardware(self.parent)


Predictions = Mapping[str, Mapping[str, Prediction]]


def by_item(predictions: Iterable[Prediction]) -> dict[str, Prediction]:
    """Return predictions by the id of their item."""
    return {prediction.id: prediction for prediction in predictions}


def common_items(predictions: Predictions, cells: Iterable[str]) -> frozenset[str]:
    """Return the items that all of `cells` were asked, as far as their answers are at hand."""
    asked = [frozenset(predictions[cell]) for cell in cells if cell in predictions]
    return frozenset.intersection(*asked) if asked else frozenset()


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
        warnings=quantised.warnings(pair, hosts.variant if hosts else None),
    )


def compare(first: Mapping[str, Prediction], second: Mapping[str, Prediction]) -> Answers | None:
    """Compare second with first on the items that both answered; None where there are none."""
    pairs = [(first[item], second[item]) for item in first if item in second]
    if not pairs:
        return None
    lost = sum(_right(a) and not _right(b) for a, b in pairs)
    won = sum(_right(b) and not _right(a) for a, b in pairs)
    return Answers(
        n=len(pairs),
        difference=stats.paired_difference(lost, won, len(pairs)),
        p_value=stats.mcnemar_exact(lost, won),
        flips=sum(a.answer != b.answer for a, b in pairs),
    )


def rescore_accuracy(record: Record, predictions: Sequence[Prediction]) -> Score | None:
    """Score a part of a record's predictions, where its metric is accuracy."""
    if record.metric != "accuracy" or not predictions:
        return None
    right, n = sum(map(_right, predictions)), len(predictions)
    low, high = stats.wilson(right, n)
    return Score(metric="accuracy", value=right / n, n=n, low=low, high=high, method="wilson")


def latency(record: Record, quantity: str, p: float) -> stats.Quantile | stats.TooFew | None:
    """Return a percentile of a latency in nanoseconds; None where it was not validly measured."""
    measured = record.measurement(quantity)
    if measured is None or record.broken("latency"):
        return None
    return stats.percentile(measured.values, p)


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


def _hardware(host: Host) -> tuple[str, str, int]:
    return host.machine, host.cpu, host.cores


def _right(prediction: Prediction) -> bool:
    return prediction.answer == prediction.expected
