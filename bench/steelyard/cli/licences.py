"""`steelyard licences`: every source of data and weights, with its terms."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from steelyard import catalog
from steelyard.catalog import Catalog
from steelyard.cli.options import cards_option
from steelyard.cli.output import print_columns
from steelyard.errors import UnknownNameError
from steelyard.report import licences, markdown, table
from steelyard.report.licences import Terms

CARD_FILES = ("card.toml", "README.md")


@click.command(
    "licences",
    epilog="Examples:  steelyard licences   |   steelyard licences spam minilm-head   |   "
    "steelyard licences --restricted   |   steelyard licences -f csv > licences.csv",
)
@click.argument("names", nargs=-1, metavar="[TASK_OR_MODEL]...")
@click.option("--restricted", is_flag=True, help="Only what may not be put to every use.")
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["text", "json", "markdown", "csv"]),
    default="text",
    show_default=True,
)
@cards_option
def command(names: tuple[str, ...], restricted: bool, form: str, cards: tuple[Path, ...]) -> None:
    """List the sources of data and weights with their terms: all, or those of some cards.

    Of each file: its licence, whether that names a restriction to non-commercial or research use,
    where it is fetched from, and whether anything of it lies in this repository. Exit code 0; 2
    for a name that no card carries.
    """
    found = catalog.load(cards)
    listed = _chosen(_terms(found), names)
    _show([one for one in listed if one.restricted_to or not restricted], form)


def _terms(found: Catalog) -> tuple[Terms, ...]:
    folders = {f"task {name}": entry.folder for name, entry in found.tasks.items()}
    folders |= {f"model {name}": entry.folder for name, entry in found.models.items()}
    return licences.terms(
        [entry.card for entry in found.tasks.values()],
        [entry.card for entry in found.models.values()],
        {name: _beside(folder) for name, folder in folders.items()},
    )


def _beside(folder: Path) -> tuple[str, ...]:
    """Return the files below a card's folder, but the card and its README."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    names = (path.relative_to(folder).as_posix() for path in files)
    return tuple(name for name in names if name not in CARD_FILES)


def _chosen(listed: tuple[Terms, ...], names: tuple[str, ...]) -> list[Terms]:
    known = {one.card for one in listed}
    for name in names:
        if name not in known:
            raise UnknownNameError(
                f"no task or model '{name}'; steelyard list tasks, steelyard list models"
            )
    return [one for one in listed if not names or one.card in names]


def _show(listed: list[Terms], form: str) -> None:
    if form == "json":
        click.echo(licences.json_text(listed), nl=False)
    elif form == "csv":
        click.echo(licences.csv_text(listed), nl=False)
    elif form == "markdown":
        sections = [markdown.section(sheet) for sheet in licences.sheets(listed)]
        notes = "".join(f"- {markdown.escape(note)}\n" for note in licences.NOTES)
        click.echo("\n".join([*sections, notes]), nl=False)
    else:
        _print(listed, Console(file=sys.stdout))


def _print(listed: list[Terms], console: Console) -> None:
    """Print tables on a terminal, which wraps them; else columns that line up on the left."""
    for sheet in licences.sheets(listed):
        if console.is_terminal:
            table.show_sheet(sheet, console)
            continue
        titles = (sheet.group, *(column.title for column in sheet.columns))
        click.echo(f"{sheet.title}: {sheet.lead}\n")
        print_columns([titles, *((line.role, *line.cells) for line in sheet.lines)])
        click.echo()
    table.show_lines(licences.NOTES, console)
