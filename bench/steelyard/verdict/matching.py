"""Which records are set against each other, on which items, and why some cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from steelyard import stats
from steelyard.record import Host, Prediction, Record, RunFile

Load = Callable[[Record], Sequence[Prediction] | None]
# The predictions of each cell, by the id of their item.
Predictions = Mapping[str, Mapping[str, Prediction]]


class Hosts(Struct, frozen=True, kw_only=True):
    """The machines that two cells were measured on."""

    first: Host
    second: Host

    @property
    def alike(self) -> bool:
        """Whether speeds and memory of the two can be compared."""
        return _hardware(self.first) == _hardware(self.second)


class Side(Struct, frozen=True, kw_only=True):
    """One cell of a pair: its record, its machine, and its predictions by item, if any."""

    record: Record
    host: Host
    answers: Mapping[str, Prediction]

    @property
    def name(self) -> str:
        """Say which model in which variant."""
        return self.record.cell.name


class Pair(Struct, frozen=True, kw_only=True):
    """A small cell and a large one of the same task."""

    small: Side
    large: Side

    @property
    def hosts(self) -> Hosts:
        """Return the machines of both."""
        return Hosts(first=self.small.host, second=self.large.host)

    @property
    def items(self) -> tuple[str, ...]:
        """Return the items that both answered, in the order of their ids."""
        return tuple(sorted(self.small.answers.keys() & self.large.answers.keys()))

    @property
    def groups(self) -> tuple[int, ...] | None:
        """Return the number of each item's group, from 0; None where no two items share one."""
        names = [self.small.answers[item].group for item in self.items]
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
        if None in numbers or len(numbers) == len(names):
            return None
        return tuple(numbers[name] for name in names)


def latest(runs: Iterable[RunFile]) -> list[tuple[RunFile, Record]]:
    """Return the latest record of each cell with its run, in the order of the runs.

    Points of learning curves are left out: the best of many draws would be a rival by luck.
    """
    found: dict[str, tuple[RunFile, Record]] = {}
    for run in runs:
        for record in run.records:
            if record.subset is not None:
                continue
            known = found.get(record.cell.id)
            if known is None or known[1].started <= record.started:
                found[record.cell.id] = (run, record)
    return list(found.values())


def side(run: RunFile, record: Record, load: Load) -> Side:
    """Return a record with its machine and its predictions."""
    predictions = load(record) if record.answered else None
    return Side(record=record, host=run.host, answers=by_item(predictions or ()))


def by_item(predictions: Iterable[Prediction]) -> dict[str, Prediction]:
    """Return predictions by the id of their item."""
    return {prediction.id: prediction for prediction in predictions}


def common_items(predictions: Predictions, cells: Iterable[str]) -> frozenset[str]:
    """Return the items that all of `cells` were asked, as far as their answers are at hand."""
    asked = [frozenset(predictions[cell]) for cell in cells if cell in predictions]
    return frozenset.intersection(*asked) if asked else frozenset()


def unfit(pair: Pair) -> str | None:
    """Say why the answers of two cells that both ran cannot be set against each other."""
    small, large = pair.small.record, pair.large.record
    if small.task_sha256 != large.task_sha256:
        return "they were measured with different versions of the task's card"
    if small.data_sha256 != large.data_sha256:
        return "they were measured on different data"
    if small.metric != large.metric:
        return f"they were scored in different metrics: {small.metric} and {large.metric}"
    missing = [one.name for one in (pair.small, pair.large) if not one.answers]
    if missing:
        return f"the predictions of {' and '.join(missing)} are not at hand"
    if not pair.items:
        return "they were asked no item in common"
    return None


def did_not_run(one: Side) -> str | None:
    """Say what kept a cell from answering, or return None where nothing did."""
    record = one.record
    if record.answered:
        return None
    reason = record.reason or "no reason was recorded"
    return f"{one.name} has no answers ({record.outcome.replace('_', ' ')}: {reason})"


def latency(record: Record, quantity: str, p: float) -> stats.Quantile | stats.TooFew | None:
    """Return a percentile of a latency in nanoseconds; None where it was not validly measured."""
    measured = record.measurement(quantity)
    if measured is None or record.broken("latency"):
        return None
    return stats.percentile(measured.values, p)


def _hardware(host: Host) -> tuple[str, str, int]:
    return host.machine, host.cpu, host.cores
