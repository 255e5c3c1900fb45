"""Costs as text: a table a task, what breaks even where, and what it all rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct

from steelyard.cost import CostReport, CostRow, Effect, Found, Versus, workload
from steelyard.record import Host, Record, RunFile
from steelyard.report import cheapest, units
from steelyard.report.markdown import escape, section
from steelyard.report.money import money, volume_asked
from steelyard.report.sheet import ABSENT, Column, Line, Sheet
from steelyard.verdict.matching import latest

SCHEMA = 1
_TOLD = 3
_TITLES = (
    ("model", False),
    ("where", False),
    ("machines", True),
    ("answer", True),
    ("correct", True),
    ("total", True),
    ("per 1,000", True),
    ("per 1,000 correct", True),
    ("running per 1,000", True),
    ("computing", True),
)
_TOTAL = (
    "total: labels, set-up, upkeep, machines bought whole or rented day and night, electricity, "
    "tokens, network, over the whole time; running: a call by itself, on a machine at work the "
    "stated share of its time, without people"
)
_ANSWER = (
    "answer: what a caller waits, p50 and round trip; computing: the share of machines, hosting, "
    "electricity and tokens in the total; ~: electricity is a model's, no meter was read"
)
_RANGES = (
    "ranges: one figure at a time goes to its low and its high; no confidence interval. Labels to "
    "test with cost all sides the same and are left out"
)


class CostDocument(Struct, frozen=True, kw_only=True):
    """The JSON of a cost report."""

    schema: int
    tasks: tuple[CostReport, ...]


def by_task(runs: Iterable[RunFile]) -> dict[str, list[Found]]:
    """Return the work of every cell as last measured, by task."""
    found: dict[str, list[Found]] = {}
    for run, record in latest(runs):
        found.setdefault(record.cell.task, []).append(_found(record, run.host))
    return found


def _found(record: Record, host: Host) -> Found:
    return Found(
        task=record.cell.task,
        name=record.cell.name,
        device=record.cell.device,
        role=record.role,
        work=workload(record, host),
    )


def json_text(reports: Iterable[CostReport]) -> str:
    """Return everything as JSON, money in the currency that it names."""
    document = CostDocument(schema=SCHEMA, tasks=tuple(reports))
    encoded = msgspec.json.encode(document, order="deterministic")
    return msgspec.json.format(encoded, indent=2).decode() + "\n"


def markdown_text(reports: Sequence[CostReport]) -> str:
    """Return everything as Markdown."""
    sections = [section(sheet(report)) for report in reports]
    closing = "".join(f"- {escape(line)}\n" for line in closing_lines(reports))
    return "\n".join([*sections, closing])


def sheet(report: CostReport) -> Sheet:
    """Return a task's costs as a table, what breaks even below it."""
    demand = report.demand
    return Sheet(
        title=units.clean(
            f"{report.task}: {volume_asked(demand.calls_a_day)} calls a day for "
            f"{demand.months} months, in {report.currency}"
        ),
        lead=units.clean(cheapest.sentence(report)),
        columns=tuple(Column(title=title, figures=figures) for title, figures in _TITLES),
        lines=tuple(Line(role=units.clean(row.role), cells=_cells(row)) for row in report.rows),
        notes=tuple(map(units.clean, _notes(report))),
    )


def closing_lines(reports: Sequence[CostReport]) -> tuple[str, ...]:
    """Return what holds for all tasks: how to read it, what is assumed, where figures are from."""
    stated = list({one.path: one for report in reports for one in report.stated}.values())
    assumed = [one for one in stated if one.assumed]
    known = [one for one in stated if not one.assumed]
    lines = [
        _TOTAL,
        _ANSWER,
        _RANGES,
        *(f"assumed, not known: {one.path} = {one.text}: {_reason(one.origin)}" for one in assumed),
        *(f"from a source: {one.path} = {one.text}: {one.origin}" for one in known),
    ]
    return tuple(map(units.clean, lines))


def _reason(origin: str) -> str:
    return origin.removeprefix("assumed: ")


def _cells(row: CostRow) -> tuple[str, ...]:
    name = units.clean(f"{row.name} ({row.device})")
    total = row.total
    if total is None:
        return (name, units.clean(f"none: {row.absent}"), *(ABSENT for _ in _TITLES[2:]))
    about = "~" if total.modelled else ""
    without = " without electricity" if total.no_electricity else ""
    answer = None if total.answer_s is None else units.duration(1e9 * total.answer_s)
    return (
        name,
        units.clean(row.deployment or ABSENT),
        ABSENT if total.machines is None else str(total.machines),
        answer or ABSENT,
        ABSENT if row.correct is None else f"{100 * row.correct:.1f} % of {row.n}",
        f"{about}{_told(row.amount)}{without}",
        f"{about}{_told(row.per_1000)}",
        f"{about}{_told(row.per_1000_correct)}",
        f"{about}{_told(row.running_per_1000)}",
        ABSENT if row.computing_share is None else f"{100 * row.computing_share:.2g} %",
    )


def _told(amount: float | None) -> str:
    return ABSENT if amount is None else money(amount)


def _notes(report: CostReport) -> Iterator[str]:
    yield from (_compared(one, report) for one in report.versus)
    seen = {
        f"{row.deployment}: {note}": None
        for row in report.rows
        if row.total is not None
        for note in row.total.notes
    }
    yield from seen


def _compared(pair: Versus, report: CostReport) -> str:
    small, large = pair.small.deployed, pair.large.deployed
    names = (
        f"{small.workload.name} ({small.deployment.id}) against "
        f"{large.workload.name} ({large.deployment.id})"
    )
    return f"{names}: {pair.break_even.text}; {_ratio(pair, report)}{_matters(pair)}"


def _ratio(pair: Versus, report: CostReport) -> str:
    if pair.ratio is None or pair.lowest is None or pair.highest is None:
        return f"no ratio: {pair.no_ratio}"
    running = (
        "" if pair.running_ratio is None else f", {money(pair.running_ratio)} times as much to run"
    )
    return (
        f"at {volume_asked(report.demand.calls_a_day)} a day a correct answer of the large one "
        f"costs {pair.ratio:.3g} times as much ({pair.lowest:.3g} to {pair.highest:.3g}){running}"
    )


def _matters(pair: Versus) -> str:
    told = pair.sensitivity[:_TOLD]
    return f"; matters most: {', '.join(map(_effect, told))}" if told else ""


def _effect(effect: Effect) -> str:
    assumed = "assumed, " if effect.assumed else ""
    return (
        f"{effect.path} ({assumed}{effect.low:g} to {effect.high:g}: "
        f"{effect.ratio_low:.3g} to {effect.ratio_high:.3g} times)"
    )
