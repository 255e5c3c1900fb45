"""Run files and predictions -> one row a cell, one table a task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct, structs

from steelyard.api import Score
from steelyard.card import TaskCard
from steelyard.directions import higher_is_better
from steelyard.loads import AnyLoadResult
from steelyard.record import (
    Cell,
    CodecarbonReading,
    EnergyReading,
    Evidence,
    Host,
    Outcome,
    Prediction,
    PromptChoice,
    Record,
    RunFile,
    Sample,
    WarmUp,
)
from steelyard.references import Price, board_of
from steelyard.report import paired
from steelyard.report.fits import Fits, fits
from steelyard.report.joules import Bill, Place, bill
from steelyard.report.paired import Beside
from steelyard.stats import Quantile, TooFew
from steelyard.verdict import TaskVerdict
from steelyard.verdict.matching import (
    Hosts,
    Load,
    Predictions,
    by_item,
    common_items,
    latency,
    latest,
)

Percentile = Quantile | TooFew
Rescore = Callable[[Record, Sequence[Prediction]], Score | None]

ROLES = ("baseline", "specialist", "generalist")


class Row(Struct, frozen=True, kw_only=True):
    """What is known of one cell. What is None was not measured; percentiles are in nanoseconds.

    `same_items` is the score on exactly the items that the task's generalists were asked, where
    those are not all that this cell answered. `labelled_items` counts those the recipe learned
    from, those in the prompt, and those the prompt was chosen on.
    """

    cell: Cell
    run: str
    started: str
    role: str
    precision: str
    backend: str
    threads: int
    outcome: Outcome
    metric: str
    reason: str | None = None
    parameters: int | None = None
    size_bytes: int | None = None
    artifact_sha256: str | None = None
    labelled_items: int | None = None
    sample: Sample | None = None
    score: Score | None = None
    same_items: Score | None = None
    timed_validly: bool = True
    p50_ns: Percentile | None = None
    p99_ns: Percentile | None = None
    infer_p50_ns: Percentile | None = None
    memory_peak_bytes: int | None = None
    load_time_ns: int | None = None
    warm_up: WarmUp | None = None
    fits_in: Fits | None = None
    energy: tuple[EnergyReading, ...] = ()
    no_energy: tuple[str, ...] = ()
    bill: Bill | None = None
    codecarbon: CodecarbonReading | None = None
    loads: tuple[AnyLoadResult, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    beside_parent: Beside | None = None
    prompt: PromptChoice | None = None
    warnings: tuple[str, ...] = ()
    recalled: int = 0

    @property
    def name(self) -> str:
        """Say which model in which variant."""
        return self.cell.name


class Machine(Struct, frozen=True, kw_only=True):
    """Where the rows of a device were measured, and with which steelyard."""

    device: str
    host: Host
    tool_version: str


class TaskTable(Struct, frozen=True, kw_only=True):
    """The rows of one task, the machines they come from, and whose electricity they used.

    `higher_is_better` is of the score, None where nothing says so. `verdict` is None where nobody
    asked for one.
    """

    task: str
    rows: tuple[Row, ...]
    machines: tuple[Machine, ...]
    higher_is_better: bool | None = True
    place: Place = Place()
    verdict: TaskVerdict | None = None


def no_predictions(_: Record) -> None:
    """Load nothing, where no predictions are at hand."""


def tables(
    runs: Iterable[RunFile],
    load: Load = no_predictions,
    rescore: Rescore = paired.rescore_accuracy,
    cards: Mapping[str, TaskCard] | None = None,
) -> tuple[TaskTable, ...]:
    """Return a table a task, in the order of the runs; of a repeated cell the latest record.

    `load` returns a record's predictions; without them nothing is compared item by item.
    `rescore` scores a part of them in the record's metric, or returns None where it cannot. `cards`
    are the tasks', for whether more of their score is better.
    """
    found = latest(runs)
    by_task: dict[str, list[tuple[RunFile, Record]]] = {}
    for pair in found:
        by_task.setdefault(pair[1].cell.task, []).append(pair)
    made = (_table(task, pairs, load, rescore) for task, pairs in by_task.items())
    return tuple(_ordered(table, (cards or {}).get(table.task)) for table in made)


def billed(table: TaskTable, where: Place) -> TaskTable:
    """Return the table with what the energy of its rows comes to at a place."""
    prices = {machine.device: _price(machine.host) for machine in table.machines}
    rows = (
        structs.replace(row, bill=bill(row.energy, row.score, where, prices.get(row.cell.device)))
        for row in table.rows
    )
    return structs.replace(table, rows=tuple(rows), place=where)


def _price(host: Host) -> Price | None:
    """Return what a board costs, where that is known."""
    board = board_of(host.board) if host.board else None
    return board.price if board else None


def _table(
    task: str, pairs: list[tuple[RunFile, Record]], load: Load, rescore: Rescore
) -> TaskTable:
    records = {record.cell.id: record for _, record in pairs}
    by_cell = {record.cell.id: (run, record) for run, record in pairs}
    answers = _answers(records.values(), load)
    asked = common_items(answers, (r.cell.id for r in records.values() if r.role == "generalist"))
    rows = [
        _row(
            run,
            record,
            same_items=_same_items(record, answers, asked, rescore),
            beside_parent=_beside_parent(record, run, by_cell, answers),
            fits_in=fits(record, records.values()),
        )
        for run, record in pairs
    ]
    machines = {
        run.device: Machine(device=run.device, host=run.host, tool_version=run.tool_version)
        for run, _ in pairs
    }
    table = TaskTable(task=task, rows=tuple(rows), machines=tuple(machines.values()))
    return billed(table, Place())


def _ordered(table: TaskTable, card: TaskCard | None) -> TaskTable:
    """Return the table with its rows by role, then the best score, the unscored last."""
    ways = {higher_is_better(row.metric, card) for row in table.rows}
    more = ways.pop() if len(ways) == 1 else None
    rows = sorted(table.rows, key=lambda row: _order(row, higher=more is not False))
    return structs.replace(table, rows=tuple(rows), higher_is_better=more)


def _answers(records: Iterable[Record], load: Load) -> Predictions:
    loaded = ((r.cell.id, load(r)) for r in records if r.answered)
    return {cell: by_item(found) for cell, found in loaded if found}


def _row(
    run: RunFile,
    record: Record,
    same_items: Score | None,
    beside_parent: Beside | None,
    fits_in: Fits | None,
) -> Row:
    artifact = record.artifact
    return Row(
        cell=record.cell,
        run=run.run,
        started=record.started,
        role=record.role,
        precision=record.precision,
        backend=record.backend,
        threads=record.threads,
        outcome=record.outcome,
        reason=record.reason,
        metric=record.metric,
        parameters=artifact.parameters if artifact else None,
        size_bytes=artifact.size_bytes if artifact else None,
        artifact_sha256=artifact.sha256 if artifact else None,
        labelled_items=_labelled(record),
        sample=record.sample,
        score=record.score(),
        same_items=same_items,
        timed_validly=not record.broken("latency"),
        p50_ns=latency(record, "latency_end_to_end", 0.5),
        p99_ns=latency(record, "latency_end_to_end", 0.99),
        infer_p50_ns=latency(record, "latency_infer", 0.5),
        memory_peak_bytes=_last(record, "memory_peak"),
        load_time_ns=_last(record, "load_time"),
        warm_up=record.warm_up,
        fits_in=fits_in,
        energy=record.energy,
        no_energy=record.no_energy,
        codecarbon=record.codecarbon,
        loads=record.loads,
        evidence=record.evidence,
        beside_parent=beside_parent,
        prompt=record.prompt,
        warnings=record.warnings,
        recalled=record.recalled,
    )


def _labelled(record: Record) -> int | None:
    if record.artifact is None:
        return None
    asked = record.prompt.n + record.prompt.shots if record.prompt else 0
    return record.artifact.labelled_items + asked


def _last(record: Record, quantity: str) -> int | None:
    measured = record.measurement(quantity)
    return int(measured.values[-1]) if measured and measured.values else None


def _same_items(
    record: Record, answers: Predictions, asked: frozenset[str], rescore: Rescore
) -> Score | None:
    ours = answers.get(record.cell.id, {})
    shared = [ours[item] for item in ours if item in asked]
    if not shared or len(shared) == len(ours):
        return None
    return rescore(record, shared)


def _beside_parent(
    record: Record,
    run: RunFile,
    by_cell: dict[str, tuple[RunFile, Record]],
    answers: Predictions,
) -> Beside | None:
    if record.parent is None or not record.answered:
        return None
    cell = record.cell
    parent = Cell(task=cell.task, model=cell.model, variant=record.parent, device=cell.device)
    its_run, its_record = by_cell.get(parent.id, (run, None))
    if its_record is None or not its_record.answered:
        return None
    hosts = Hosts(first=run.host, second=its_run.host)
    return paired.beside(record, its_record, answers, hosts)


def _order(row: Row, *, higher: bool) -> tuple[int, bool, float, str]:
    role = ROLES.index(row.role) if row.role in ROLES else len(ROLES)
    value = row.score.value if row.score else 0.0
    return role, row.score is None, -value if higher else value, row.cell.id
