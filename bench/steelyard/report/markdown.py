"""Tables in GitHub-flavoured Markdown, in which foreign names stay text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from steelyard.report.notes import legend
from steelyard.report.rows import TaskTable
from steelyard.report.sheet import Sheet, lay_out

# What could open a tag, a span, a link, a cell, an entity; figures in brackets and an underscore
# inside a word open nothing. Entities, not backslashes: a cell ends at the bar of `\\|`.
_STEERING = re.compile(
    r"[\\`*>|~#$]|\[(?![-+\d])|\](?=[(\[:])|<(?=[A-Za-z/!?])|&(?=[#A-Za-z])"
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=//)|(?<=www)\."
)
_AT_START = re.compile(r"^([-+=]|\d+(?=[.)](\s|$)))")


def text(tables: Iterable[TaskTable]) -> str:
    """Return all tables as Markdown, one section a task, and what holds for all of them."""
    shown = list(tables)
    sections = [section(lay_out(table, wide=True)) for table in shown]
    common = "".join(f"- {escape(note)}\n" for note in legend(shown))
    return "\n".join([*sections, f"For all of them:\n\n{common}" if common else ""])


def section(sheet: Sheet) -> str:
    """Return a sheet as a heading, a table and a list of notes."""
    titles = [sheet.group, *(column.title for column in sheet.columns)]
    lines = [
        f"### {escape(sheet.title)}",
        "",
        *([escape(sheet.lead), ""] if sheet.lead else []),
        _line(titles),
        _line([":--", ":--", *("--:" for _ in sheet.columns[1:])], escaped=True),
        *(_line([line.role, *line.flat_cells]) for line in sheet.lines),
        "",
        *([f"**Verdict:** {escape(sheet.verdict)}", ""] if sheet.verdict else []),
        *(f"- {escape(note)}" for note in sheet.notes),
    ]
    return "\n".join(lines) + "\n"


def escape(foreign: str) -> str:
    """Return text such that Markdown and HTML show it and do nothing else with it."""
    escaped = _STEERING.sub(lambda match: _entity(match[0]), foreign)
    return _AT_START.sub(lambda match: _entity(match[0][0]) + match[0][1:], escaped)


def _line(cells: list[str], *, escaped: bool = False) -> str:
    return f"| {' | '.join(cells if escaped else map(_cell, cells))} |"


def _cell(cell: str) -> str:
    # In a cell, figures and dashes at the start open no list, and stay readable in the source.
    return _STEERING.sub(lambda match: _entity(match[0]), cell)


def _entity(character: str) -> str:
    return f"&#{ord(character)};"
