"""`steelyard choose`: the measured model that meets your limits, or what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
from msgspec import Struct

from steelyard import catalog, selection
from steelyard.cli.cells import newest_unless
from steelyard.cli.options import cards_option
from steelyard.cli.output import print_columns, run_tables
from steelyard.cli.quantities import duration, energy, number, size
from steelyard.errors import UnknownNameError
from steelyard.report import units
from steelyard.report.rows import TaskTable
from steelyard.selection import Candidate, Finding, Limits, Selection

NONE_MEETS = 3
SCHEMA = 1
ABSENT = "-"
STANDINGS = {"meets": "", "doubtful": " ?", "fails": " x", "not measured": " x"}
LEGEND = "?: meets it by its estimate, not by the whole 95 % interval; x: does not, or not measured"


@click.command(
    "choose",
    epilog="Examples:  steelyard choose results/default --task spam --max-p99 50ms "
    "--max-memory 512MB --min-score 0.9   |   steelyard choose --task intent --max-size 50MB",
)
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--task", required=True, metavar="ID", help="What the model is for.")
@click.option("--device", metavar="ID", help="Only what was measured on this device: cpu-1t.")
@click.option("--min-score", type=number, help="Least score, in the task's own metric.")
@click.option("--max-score", type=number, help="Most, where less of that metric is better: 1.2.")
@click.option("--max-p50", type=duration, help="Most time that half of all calls take: 10ms.")
@click.option("--max-p99", type=duration, help="Most time that 99 of 100 calls take: 50ms.")
@click.option("--max-memory", type=size, help="Most memory of the process: 512MB.")
@click.option("--max-size", type=size, help="Most bytes on disk: 50MB.")
@click.option("--max-energy", type=energy, help="Most energy of a call: 10mJ.")
@click.option(
    "--format", "-f", "form", type=click.Choice(["table", "json"]), default="table",
    show_default=True,
)  # fmt: skip
@cards_option
def command(
    runs: tuple[Path, ...],
    task: str,
    device: str | None,
    min_score: float | None,
    max_score: float | None,
    max_p50: float | None,
    max_p99: float | None,
    max_memory: float | None,
    max_size: float | None,
    max_energy: float | None,
    form: str,
    cards: tuple[Path, ...],
) -> int:
    """Name the model to use for a task under your limits, from what RUNS measured.

    Without RUNS: the newest local run. What was not measured meets no limit. Exit code 3 where no
    model meets them all: then the limit in the way is named, and what comes nearest to it.
    """
    limits = Limits(
        min_score=min_score,
        max_score=max_score,
        max_p50_ns=max_p50,
        max_p99_ns=max_p99,
        max_memory_bytes=max_memory,
        max_size_bytes=max_size,
        max_energy_j=max_energy,
        device=device,
    )
    made = selection.choose(_table(runs, task, device, cards), limits)
    if form == "json":
        report = _Report(schema=SCHEMA, selection=made)
        encoded = msgspec.json.encode(report, order="deterministic")
        click.echo(msgspec.json.format(encoded, indent=2))
    else:
        _print(made)
    return 0 if made.chosen else NONE_MEETS


class _Report(Struct, frozen=True, kw_only=True):
    """What -f json writes."""

    schema: int
    selection: Selection


def _table(
    runs: tuple[Path, ...], task: str, device: str | None, cards: tuple[Path, ...]
) -> TaskTable:
    """Return the table of the task; raise UnknownNameError where these runs have none of it."""
    found = catalog.load(cards)
    tables = run_tables(newest_unless(runs), found)
    table = next((one for one in tables if one.task == task), None)
    if table is None:
        had = ", ".join(one.task for one in tables) or "none"
        raise UnknownNameError(f"no cell of task '{task}' in these runs; they have: {had}")
    devices = sorted({row.cell.device for row in table.rows})
    if device is not None and device not in devices:
        raise UnknownNameError(
            f"no cell of task '{task}' on device '{device}'; there are: {', '.join(devices)}"
        )
    return table


def _print(made: Selection) -> None:
    for line in _verdict(made):
        click.echo(line)
    click.echo()
    print_columns(_rows(made))
    click.echo()
    for note in _notes(made):
        click.echo(f"- {note}")


def _verdict(made: Selection) -> Iterator[str]:
    """Yield what to use, or what stands in the way."""
    task = units.clean(made.task)
    if made.chosen is not None:
        doubt = made.chosen.doubtful
        sure = "; it meets every limit" if made.chosen.findings else "; no limit was given"
        if doubt:
            sure = "; it meets the limits, but not beyond doubt"
        yield f"{task}: use {units.clean(made.chosen.name)}{sure}"
        yield from (f"  {_said(finding)}" for finding in made.chosen.findings)
        return
    yield f"{task}: no model meets these limits"
    barred = [one for one in made.obstacles if not one.met_by]
    for one in barred:
        if one.finding is not None and one.nearest is not None:
            yield f"  {one.name}: met by none; nearest {units.clean(one.nearest)}: " + _said(
                one.finding, named=False
            )
        elif one.finding is not None:
            reason = units.clean(one.finding.reason or "no reason was kept")
            yield f"  {one.name}: not measured of any model: {reason}"
    if not barred and made.obstacles:
        yield "  each limit by itself is met by some model, all together by none"
    nearest = made.nearest
    if nearest is not None and nearest.findings:
        yield f"nearest to all of them: {units.clean(nearest.name)}"
        yield from (f"  {_said(finding)}" for finding in nearest.unmet)


def _said(finding: Finding, *, named: bool = True) -> str:
    """Say how a limit is met or missed: `p99 at most 50 ms: 60 ms [55 ms,66 ms], 20 % over`."""
    way = "at least" if finding.at_least else "at most"
    name = f"{finding.name} {way} {_scaled(finding.limit, finding.unit)}: " if named else ""
    if finding.figure is None:
        return f"{name}not measured: {units.clean(finding.reason or 'no reason was kept')}"
    figure = finding.figure
    value = _scaled(figure.value, finding.unit)
    if figure.low < figure.high:
        ends = ",".join(_scaled(end, finding.unit) for end in (figure.low, figure.high))
        value = f"{value} [{ends}]"
    of = f" ({finding.reason})" if finding.reason else ""
    ending = {"fails": _missed(finding), "doubtful": ", not beyond doubt"}
    return f"{name}{value}{of}{ending.get(finding.standing, '')}"


def _missed(finding: Finding) -> str:
    if finding.miss is None or finding.figure is None:
        return ""
    by = abs(finding.figure.value - finding.limit)
    side = "short" if finding.at_least else "over"
    return f", {_scaled(by, finding.unit)} ({finding.miss:.0%}) {side}"


def _rows(made: Selection) -> list[tuple[str, ...]]:
    names = [one.name for one in made.obstacles]
    rows = [("model", "role", "score", *(name for name in names if name != "score"))]
    for one in made.candidates:
        by_name = {finding.name: finding for finding in one.findings}
        cells = [_cell(by_name[name]) for name in names if name != "score"]
        rows.append((units.clean(one.name), units.clean(one.role), _score(one), *cells))
    return rows


def _score(one: Candidate) -> str:
    if one.score is None:
        return ABSENT
    mark = next((STANDINGS[f.standing] for f in one.findings if f.name == "score"), "")
    return f"{one.score.value:.3f} [{one.score.low:.3f},{one.score.high:.3f}] n={one.n}{mark}"


def _cell(finding: Finding) -> str:
    value = ABSENT if finding.figure is None else _scaled(finding.figure.value, finding.unit)
    return f"{value}{STANDINGS[finding.standing]}"


def _notes(made: Selection) -> Iterator[str]:
    yield f"the rule: {selection.RULES[made.higher_is_better]}"
    yield "scores are each model's own, on the items that it was asked: fewer items, wider interval"
    if made.obstacles:
        yield LEGEND
    yield from _unknown(made)
    for cell, reason in made.unmeasured:
        yield f"left out: {units.clean(cell)}: {units.clean(reason)}"


def _unknown(made: Selection) -> Iterator[str]:
    """Yield what was not measured and why, the models with one reason in one line."""
    names: dict[tuple[str, str], list[str]] = {}
    for one in made.candidates:
        for finding in one.findings:
            if finding.figure is None:
                key = (finding.name, finding.reason or "no reason was kept")
                names.setdefault(key, []).append(one.name)
    for (name, reason), whose in names.items():
        yield f"{name}: {units.clean(reason)}: {units.clean(', '.join(whose))}"


def _scaled(value: float, unit: str) -> str:
    if unit == "ns":
        return units.duration(value)
    if unit == "J":
        return units.energy(value)
    return units.size(value) if unit == "B" else f"{value:.3f}"
