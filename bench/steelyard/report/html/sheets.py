"""Sheets of text -> plain tables of the page."""

from __future__ import annotations

from steelyard.report.html.view import Table
from steelyard.report.sheet import Sheet


def table(sheet: Sheet, caption: str) -> Table:
    """Return a sheet as a table, its group in the first column."""
    return Table(
        caption=caption,
        titles=(sheet.group, *(column.title for column in sheet.columns)),
        lines=tuple((line.role, *line.flat_cells) for line in sheet.lines),
        notes=(*([sheet.lead] if sheet.lead else []), *sheet.notes),
    )
