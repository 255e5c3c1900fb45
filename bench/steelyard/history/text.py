"""A history for a terminal: a line of blocks a quantity, the changes, the latest runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from steelyard.history import words
from steelyard.history.types import History, Series
from steelyard.report import units
from steelyard.report.wrapping import wrapped

BLOCKS = "▁▂▃▄▅▆▇█"
GAP, CHANGE = "·", "^"
WIDTH = 72
# Rows of the table at the end; JSON, Markdown and HTML have all.
SHOWN = 20


def told(history: History) -> Iterator[str]:
    """Yield the lines of a history, none wider than a pipe's 100 but for long names."""
    yield wrapped(words.headline(history))
    for series in history.series:
        yield ""
        yield from _plotted(series, history)
    yield ""
    yield from (wrapped(line) for line in words.absences(history))
    yield from _table(history)
    yield ""
    yield wrapped(words.RULE)


def spark(values: Sequence[float | None], width: int = WIDTH) -> str:
    """Return values as blocks from the least to the most; columns of several are their median."""
    columns = [_middle(part) for part in _columns(values, width)]
    known = [value for value in columns if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    return "".join(_block(value, low, high) for value in columns)


def under(count: int, marks: Sequence[int], width: int = WIDTH) -> str:
    """Return a line with a mark below each column that holds one of the places."""
    columns = min(count, width)
    hit = {place * columns // count for place in marks}
    return "".join(CHANGE if column in hit else " " for column in range(columns)).rstrip()


def _columns(values: Sequence[float | None], width: int) -> Iterator[Sequence[float | None]]:
    count, columns = len(values), min(len(values), width)
    # The place `i` stands in the column `i * columns // count`, as in `under`.
    ends = [-(-column * count // columns) for column in range(columns + 1)]
    yield from (values[start:end] for start, end in pairwise(ends))


def _middle(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _block(value: float | None, low: float, high: float) -> str:
    if value is None:
        return GAP
    share = (value - low) / (high - low) if high > low else 0.5
    return BLOCKS[min(int(share * len(BLOCKS)), len(BLOCKS) - 1)]


def _plotted(series: Series, history: History) -> Iterator[str]:
    known = [value for value in series.values if value is not None]
    name = series.quantity
    ends = f"{words.amount(name, min(known))} to {words.amount(name, max(known))}"
    unit = f" ({units.clean(series.unit)})" if name == "score" else ""
    yield f"{words.TITLES[name]}{unit}, {ends}, latest {words.amount(name, known[-1])}"
    yield f"  {spark(series.values)}"
    if series.changes:
        yield f"  {under(len(series.values), [one.index for one in series.changes])}"
    for change in series.changes:
        yield wrapped(words.sentence(series, change, history), indent=2)
    if not series.changes:
        yield f"  {words.none_found(series)}"


def _table(history: History) -> Iterator[str]:
    rows = [("", "started (UTC)", "commit", *(words.TITLES[s.quantity] for s in history.series))]
    marked = words.marked(history)
    count = len(history.moments)
    shown = [i for i in range(count) if i >= count - SHOWN or i in marked]
    rows += [_row(history, index, CHANGE if index in marked else "") for index in shown]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
    if len(shown) < count:
        yield f"{count - len(shown)} earlier runs are not shown; -f json has all"


def _row(history: History, index: int, mark: str) -> tuple[str, ...]:
    moment = history.moments[index]
    return (
        mark,
        words.day(moment.started),
        words.commit(moment.commit),
        *(words.amount(one.quantity, one.values[index]) for one in history.series),
    )
