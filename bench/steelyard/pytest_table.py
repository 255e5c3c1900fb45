"""The results of a pytest session as steelyard's own tables.

pytest loads this module in every session: until there are results it imports nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steelyard.measure import Result


def table(results: list[Result], *, colour: bool) -> str:
    """Return the results as steelyard's own tables."""
    import io

    from rich.console import Console

    from steelyard import __version__, host, learning
    from steelyard.record import SCHEMA, RunFile
    from steelyard.report import curves
    from steelyard.report import table as tabled
    from steelyard.report.rows import tables

    records = [result.record for result in results]
    runs = [
        RunFile(
            schema=SCHEMA,
            tool_version=__version__,
            run="pytest",
            suite="pytest",
            device=device,
            started=records[0].started,
            host=host.identify(),
            records=tuple(record for record in records if record.cell.device == device),
        )
        for device in dict.fromkeys(record.cell.device for record in records)
    ]
    predictions = {result.record.cell.id: result.predictions for result in results}
    out = io.StringIO()
    console = Console(file=out, force_terminal=colour)
    shown = tables(runs, load=lambda record: predictions[record.cell.id])
    tabled.show(shown, console)
    for drawn in learning.curves(runs, lambda record: predictions[record.cell.id], {}):
        tabled.show_sheet(curves.sheet(drawn), console)
    return out.getvalue()
