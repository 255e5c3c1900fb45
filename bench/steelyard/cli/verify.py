"""`steelyard verify`: whether a published run still is what was measured."""

from __future__ import annotations

from pathlib import Path

import click

from steelyard import catalog
from steelyard.catalog import Catalog
from steelyard.cli.cells import newest_unless
from steelyard.cli.options import cards_option
from steelyard.cli.output import run_tables
from steelyard.cli.progress import Talking
from steelyard.errors import SteelyardError
from steelyard.prepare.cache import Cache
from steelyard.report import verification
from steelyard.report.rows import TaskTable
from steelyard.report.units import clean
from steelyard.report.verification import Ground, Line

NOT_SOUND = 3


@click.command(
    "verify",
    epilog="Examples:  steelyard verify results/default   |   "
    "steelyard verify results/default --table README.md",
)
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--table",
    "published",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A table published elsewhere (.md, .csv, .tex); may be given several times.",
)
@cards_option
def command(runs: tuple[Path, ...], published: tuple[Path, ...], cards: tuple[Path, ...]) -> int:
    """Check the folders RUNS: files, hashes, raw samples, scores, cards, tables.

    Without any, the newest local run. A line a check: `ok`; `note`, what differs without being
    damaged; `unchecked`, and why; `WRONG`. Ends with 3 where anything is wrong.
    """
    found = catalog.load(cards)
    cache = Cache.default()
    cache.check()
    ground = Ground(catalog=found, cache=cache, progress=Talking())
    said: list[Line] = []
    for folder in newest_unless(runs):
        click.echo(clean(str(folder)))
        lines, _ = verification.verify(folder, ground)
        lines += verification.tables(folder, _tables(folder, found), published)
        for line in lines:
            click.echo(_shown(line))
        said += lines
    click.echo(verification.conclusion(said))
    return 0 if verification.sound(said) else NOT_SOUND


def _tables(folder: Path, found: Catalog) -> tuple[TaskTable, ...] | SteelyardError:
    try:
        return run_tables((folder,), found)
    except SteelyardError as error:
        return error


def _shown(line: Line) -> str:
    status = "WRONG" if line.status == "wrong" else line.status
    return f"  {status:<9}  {clean(line.text)}"
