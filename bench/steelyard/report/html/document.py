"""Findings -> the page, plots drawn; every word of it still unescaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from steelyard import __version__
from steelyard.claims.types import Ledger
from steelyard.cost import CostReport
from steelyard.report import costs, notes, pairs, units
from steelyard.report.html import costing, grown, plots, provenance
from steelyard.report.html.devices import devices
from steelyard.report.html.grid import grid
from steelyard.report.html.judged import judged
from steelyard.report.html.sheets import table
from steelyard.report.html.types import Draw, Findings, Plot
from steelyard.report.html.view import Costs, Drawn, Group, Page, Task
from steelyard.report.ledger import ORDER
from steelyard.report.rows import Row, TaskTable
from steelyard.verdict import FAMILY, RULE, told

# So many models are named at the head of the page; of more only the sizes are told.
NAMED = 6
NOT_CLAIMED = (
    "That an undecided pair is equal: it is undecided.",
    "That one task stands for another, or this machine for another machine.",
    (
        "That a win over these generalists is a win over larger ones, or over ones that were "
        "tuned, given documents to look up, or let reason before they answer."
    ),
    "That the p50 of one process is the p50 of the next: a run is one process a pass.",
    "That energy, carbon or cost is zero where none is shown: it was not measured.",
)


def page(findings: Findings, draw: Draw) -> Page:
    """Return the page; `draw` turns a plot into harmless SVG."""
    ledger = findings.ledger or Ledger(claims=())
    explained = (pairs.STANDINGS, pairs.SHOWS_FROM, pairs.RATIOS)
    rules = (f"verdict: {RULE}", f"tests: {FAMILY}", *explained)
    legend = tuple(note for note in notes.legend(findings.tables) if note not in rules)
    return Page(
        title="Is small enough?",
        answer=answer(findings.tables),
        subject=tuple(subject(findings)),
        groups=groups(ledger),
        claims=ledger.claims,
        scope=_scope(ledger),
        not_done=grouped(ledger.not_done),
        tasks=tuple(
            _task(found, draw, f"task-{index}") for index, found in enumerate(findings.tables, 1)
        ),
        costs=tuple(_costs(report, draw) for report in findings.costs),
        cost_notes=costing.lines(findings.costs),
        learning=_drawn(grown.plots(findings.curves), draw),
        devices=devices(findings.runs),
        legend=legend,
        rules=rules,
        not_claimed=NOT_CLAIMED,
        runs=provenance.runs(findings.runs),
        hash_names=provenance.HASHES,
        version=__version__,
    )


def answer(tables: Sequence[TaskTable]) -> str:
    """Answer the title in one sentence from the verdicts, with how large the large side was."""
    verdicts = [one.verdict for one in tables if one.verdict]
    if not verdicts:
        return "No verdicts were made."
    compared = [one for one in verdicts if told(one.pairs, one.by)]
    counts = Counter(one.outcome for one in compared)
    undecided = counts["undecided"]
    sizes = [
        row.parameters
        for table in tables
        for row in table.rows
        if row.role == "generalist" and row.score and row.parameters
    ]
    most = f"; the large side has at most {units.count(max(sizes))} parameters" if sizes else ""
    others = len(tables) - len(compared)
    alone = f"; on {others} more no generalist answered" if others else ""
    return (
        f"The small side wins on {counts['wins']} of {_counted(len(compared), 'task')} here, the "
        f"large on {counts['loses']}, {undecided} {'is' if undecided == 1 else 'are'} undecided"
        f"{alone}{most}."
    )


def groups(ledger: Ledger) -> tuple[Group, ...]:
    """Return the claims by standing, in each of them: 'refuted: none' says something."""
    return tuple(
        Group(
            standing=standing,
            claims=tuple(claim for claim in ledger.claims if claim.standing == standing),
        )
        for standing in ORDER
    )


def _scope(ledger: Ledger) -> str:
    common = Counter(claim.scope for claim in ledger.claims).most_common(1)
    return common[0][0] if common else ""


def grouped(lines: Sequence[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return lines such as `not tested: this` by what stands before the colon."""
    found: dict[str, list[str]] = {}
    for line in lines:
        head, colon, rest = line.partition(": ")
        found.setdefault(head if colon else "not done", []).append(rest if colon else head)
    return tuple((head, tuple(rest)) for head, rest in found.items())


def subject(findings: Findings) -> Iterator[str]:
    """Say in a few words what was set beside what, where and when."""
    rows = [row for table in findings.tables for row in table.rows if row.score]
    small, large = _models(rows, "specialist"), _models(rows, "generalist")
    yield (
        f"{_counted(len(findings.tables), 'task')}: {_counted(len(small), 'specialist')} "
        f"({_named(small)}) against {_counted(len(large), 'generalist')} ({_named(large)})."
    )
    hosts = dict.fromkeys(_host(run.host.cpu, run.host.virtual) for run in findings.runs)
    days = sorted({run.started[:10] for run in findings.runs})
    if hosts:
        when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
        yield f"Measured on {', '.join(hosts)}, {when}."


def _models(rows: Sequence[Row], role: str) -> list[tuple[str, int | None]]:
    found: dict[str, int | None] = {}
    for row in rows:
        if row.role == role:
            found[row.cell.model] = max(found.get(row.cell.model) or 0, row.parameters or 0) or None
    return sorted(found.items(), key=lambda pair: (pair[1] or 0, pair[0]))


def _named(models: Sequence[tuple[str, int | None]]) -> str:
    """Return the names with their sizes, or of many the sizes alone."""
    sizes = [n for _, n in models if n]
    if len(models) > NAMED and sizes:
        return f"{units.count(min(sizes))} to {units.count(max(sizes))} parameters"
    names = (f"{name}, {units.count(n)} parameters" if n else name for name, n in models)
    return "; ".join(names) or "none"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _host(cpu: str, virtual: str | None) -> str:
    return f"{cpu}{f' (virtual: {virtual})' if virtual else ''}"


def _task(found: TaskTable, draw: Draw, anchor: str) -> Task:
    return Task(
        name=found.task,
        anchor=anchor,
        verdict=judged(found.verdict) if found.verdict else None,
        plots=_drawn(plots.of_task(found), draw),
        grid=grid(found),
        notes=notes.notes(found),
    )


def _costs(report: CostReport, draw: Draw) -> Costs:
    plot = costing.plot(report)
    sheet = costs.sheet(report)
    return Costs(
        task=report.task,
        plot=_drawn([plot], draw)[0] if plot else None,
        table=table(sheet, sheet.title),
    )


def _drawn(found: Sequence[Plot], draw: Draw) -> tuple[Drawn, ...]:
    return tuple(
        Drawn(
            title=plot.title,
            sentence=plot.sentence,
            svg=draw(plot),
            roles=tuple(dict.fromkeys(point.role for point in plot.points)),
        )
        for plot in found
    )
