"""What claims are judged on: a task's verdict, its cells as last measured, and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from steelyard.card import TaskCard
from steelyard.catalog import Catalog
from steelyard.cost import Prices
from steelyard.record import Cell, Host, Record, RunFile
from steelyard.verdict.matching import latest
from steelyard.verdict.types import TaskVerdict, Verdict


class Known(Struct, frozen=True, kw_only=True):
    """What is known besides the runs: cards of tasks, titles of models, both by id, and prices."""

    tasks: Mapping[str, TaskCard] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    prices: Prices | None = None


def known(found: Catalog, prices: Prices | None) -> Known:
    """Return what the cards at hand and the prices tell."""
    return Known(
        tasks={name: entry.card for name, entry in found.tasks.items()},
        titles={name: entry.card.title for name, entry in found.models.items()},
        prices=prices,
    )


class Measured(Struct, frozen=True, kw_only=True):
    """A record and the machine it was made on."""

    record: Record
    host: Host


class Task(Struct, frozen=True, kw_only=True):
    """A task with what was measured of it, by cell id; `pairs` are those of its verdict."""

    id: str
    cells: Mapping[str, Measured]
    known: Known
    verdict: TaskVerdict | None = None

    @property
    def pairs(self) -> tuple[Verdict, ...]:
        return self.verdict.pairs if self.verdict else ()

    @property
    def card(self) -> TaskCard | None:
        return self.known.tasks.get(self.id)

    def measured(self, cell: Cell) -> Measured | None:
        """Return what was measured of a cell."""
        return self.cells.get(cell.id)

    def of_role(self, role: str) -> tuple[Measured, ...]:
        """Return the cells of one role."""
        return tuple(one for one in self.cells.values() if one.record.role == role)


def tasks(
    verdicts: Iterable[TaskVerdict], runs: Iterable[RunFile], known: Known
) -> tuple[Task, ...]:
    """Return the tasks in the order of the runs; of a repeated cell the latest record."""
    by_task = {verdict.task: verdict for verdict in verdicts}
    found = [Measured(record=record, host=run.host) for run, record in latest(runs)]
    ids = dict.fromkeys([*(one.record.cell.task for one in found), *by_task])
    return tuple(
        Task(
            id=task,
            cells={one.record.cell.id: one for one in found if one.record.cell.task == task},
            known=known,
            verdict=by_task.get(task),
        )
        for task in ids
    )
