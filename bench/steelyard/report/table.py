"""Tables for a terminal, and plain text for a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from steelyard.report.notes import legend
from steelyard.report.rows import TaskTable
from steelyard.report.sheet import ABSENT, Sheet, lay_out
from steelyard.report.wrapping import wrapped

WIDE = 140
NAME = 16


def show(tables: Iterable[TaskTable], console: Console) -> None:
    """Print one table a task: to a terminal as wide as it is, to a pipe one line a row."""
    shown = list(tables)
    for table in shown:
        wide = not console.is_terminal or console.width >= WIDE
        show_sheet(lay_out(table, wide=wide), console)
    show_lines(legend(shown), console)


def show_sheet(sheet: Sheet, console: Console) -> None:
    """Print one table with its notes, as paragraphs where a terminal is too narrow for it."""
    if not console.is_terminal:
        console.file.write(plain(sheet))
        return
    if sheet.lead:
        console.print(Text(sheet.lead))
    if _width(sheet) > console.width:
        _stack(sheet, console)
    else:
        console.print(_table(sheet))
    if sheet.verdict:
        console.print(Padding(Text(f"verdict: {sheet.verdict}", style="bold"), (0, 0, 0, 2)))
    for note in sheet.notes:
        console.print(Padding(Text(note, style="dim"), (0, 0, 0, 2)))
    console.print()


def show_lines(lines: Iterable[str], console: Console) -> None:
    """Print what holds for all tables."""
    for line in lines:
        if console.is_terminal:
            console.print(Text(line, style="dim"))
        else:
            console.file.write(wrapped(line) + "\n")


def plain(sheet: Sheet) -> str:
    """Return a sheet as plain text: a row a line, as wide as it needs to be, sentences wrapped."""
    titles = (sheet.group, *(column.title for column in sheet.columns))
    lines = [titles, *((line.role, *line.flat_cells) for line in sheet.lines)]
    widths = [max(cell_len(line[i]) for line in lines) for i in range(len(titles))]
    text = ["  ".join(_aligned(line, widths)).rstrip() for line in lines]
    verdict = [wrapped(f"verdict: {sheet.verdict}", 2)] if sheet.verdict else []
    notes = [wrapped(note, 2) for note in sheet.notes]
    lead = [wrapped(sheet.lead)] if sheet.lead else []
    return "\n".join([sheet.title, *lead, *text, *verdict, *notes]) + "\n\n"


def _aligned(cells: tuple[str, ...], widths: list[int]) -> Iterator[str]:
    for index, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        gap = " " * (width - cell_len(cell))
        yield cell + gap if index < 2 else gap + cell


def _table(sheet: Sheet) -> Table:
    table = Table(
        title=Text(sheet.title, style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for column in sheet.columns:
        justify: Literal["right", "left"] = "right" if column.figures else "left"
        table.add_column(Text(column.title), justify=justify, no_wrap=True)
    for role, lines in _by_role(sheet):
        table.add_row(Text(role, style="italic"))
        for name, *figures in lines:
            table.add_row(Text(_broken(name)), *map(Text, figures))
    return table


def _stack(sheet: Sheet, console: Console) -> None:
    """Print a row as a paragraph, where columns would not fit."""
    console.print(Text(sheet.title, style="bold"))
    for line in sheet.lines:
        name, *figures = line.flat_cells
        console.print(Text(f"{name} ({line.role})"))
        titled = zip(sheet.columns[1:], figures, strict=True)
        said = (f"{column.title} {cell}" for column, cell in titled if cell != ABSENT)
        console.print(Padding(Text(", ".join(said)), (0, 0, 0, 2)))


def _by_role(sheet: Sheet) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    for role in dict.fromkeys(line.role for line in sheet.lines):
        yield role, [line.cells for line in sheet.lines if line.role == role]


def _broken(name: str) -> str:
    """Return an indented name, a long one broken where its variant begins."""
    return f" {name}" if len(name) <= NAME else f" {name}".replace("@", "\n @")


def _width(sheet: Sheet) -> int:
    """Return how many columns of a terminal the table takes."""
    width = 2
    for index, column in enumerate(sheet.columns):
        cells = [line.cells[index] for line in sheet.lines]
        shown = [column.title, *(cells if index else map(_broken, cells))]
        width += 1 + max(cell_len(line) for cell in shown for line in cell.split("\n"))
    return width
