"""A task's rows as text cells under column titles: what the table and the Markdown share."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from steelyard.api import Score
from steelyard.report import fits, joules, notes, units, verdicts
from steelyard.report.rows import Percentile, Row, TaskTable
from steelyard.stats import Quantile

ABSENT = "-"


class Column(Struct, frozen=True, kw_only=True):
    """A column's title, and whether it holds figures, which are never broken."""

    title: str
    figures: bool = True


class Line(Struct, frozen=True, kw_only=True):
    """What a row is grouped by, such as its role, and a cell a column; some have two lines."""

    role: str
    cells: tuple[str, ...]

    @property
    def flat_cells(self) -> tuple[str, ...]:
        """Return the cells, each on one line."""
        return tuple(cell.replace("\n", " ") for cell in self.cells)


class Sheet(Struct, frozen=True, kw_only=True):
    """A task ready to print, its text clean but not yet escaped for a format.

    `lead` is what the table says in one sentence, above it; `group` is the title over what the
    lines are grouped by; `verdict` stands under the table.
    """

    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    group: str = "role"
    verdict: str | None = None
    lead: str | None = None


def lay_out(table: TaskTable, *, wide: bool) -> Sheet:
    """Return the table as text; `wide` adds precision and the percentiles' intervals."""
    layout = _layout(table, wide=wide)
    return Sheet(
        title=units.clean(table.task),
        columns=tuple(column for column, _ in layout),
        lines=tuple(
            Line(role=units.clean(row.role), cells=tuple(cell(row) for _, cell in layout))
            for row in table.rows
        ),
        notes=notes.notes(table),
        verdict=verdicts.line(table.verdict) if table.verdict else None,
    )


def _layout(table: TaskTable, *, wide: bool) -> list[tuple[Column, Callable[[Row], str]]]:
    metrics = {row.metric for row in table.rows}
    metric = units.clean(metrics.pop()) if len(metrics) == 1 else None
    several_devices = len({row.cell.device for row in table.rows}) > 1
    metered = any(joules.best(row.energy) for row in table.rows)
    on_other_items = any(row.same_items for row in table.rows)
    layout: list[tuple[Column | None, Callable[[Row], str]]] = [
        (Column(title="model", figures=False), lambda row: units.clean(row.name)),
        (_column("device", shown=several_devices), lambda row: units.clean(row.cell.device)),
        (_column("params"), lambda row: _scaled(row.parameters, units.count)),
        (_column("size"), lambda row: _scaled(row.size_bytes, units.size)),
        (_column("precision", shown=wide), lambda row: units.clean(row.precision)),
        (_column(metric or "score"), lambda row: _outcome(row, metric)),
        (
            _column(notes.SAME_ITEMS, shown=on_other_items),
            lambda row: _score(row.same_items, metric),
        ),
        (_column("p50"), lambda row: _timed(row, row.p50_ns, wide=wide)),
        (_column("p99"), lambda row: _timed(row, row.p99_ns, wide=wide)),
        (_column("memory"), lambda row: _scaled(row.memory_peak_bytes, units.size)),
        (_column("fits in"), lambda row: fits.text(row.fits_in) if row.fits_in else ABSENT),
        (
            _column("energy", shown=metered),
            lambda row: joules.text(joules.best(row.energy)) or ABSENT,
        ),
        (_column("labels"), lambda row: _scaled(row.labelled_items, str)),
    ]
    return [(column, cell) for column, cell in layout if column is not None]


def _column(title: str, *, shown: bool = True) -> Column | None:
    return Column(title=title) if shown else None


def _scaled(value: int | None, scale: Callable[[int], str]) -> str:
    return ABSENT if value is None else scale(value)


def _outcome(row: Row, metric: str | None) -> str:
    if row.outcome in {"ok", "invalid"}:
        return _score(row.score, metric)
    return row.outcome.replace("_", " ")


def _score(score: Score | None, metric: str | None) -> str:
    if score is None:
        return ABSENT
    named = "" if metric else f"{units.clean(score.metric)} "
    value = f"{named}{score.value:.3f} n={score.n}"
    if score.low is None or score.high is None:
        return value
    return f"{value}\n[{score.low:.3f},{score.high:.3f}]"


def _timed(row: Row, percentile: Percentile | None, *, wide: bool) -> str:
    """Return a percentile, unless no window of the cell was valid: the note says why."""
    return _percentile(percentile, wide=wide) if row.timed_validly else "invalid"


def _percentile(percentile: Percentile | None, *, wide: bool) -> str:
    if percentile is None:
        return ABSENT
    if not isinstance(percentile, Quantile):
        return f"n<{percentile.needed}"
    if wide:
        return units.duration_interval(percentile.value, percentile.low, percentile.high)
    return units.duration(percentile.value)
