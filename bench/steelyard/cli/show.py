"""`steelyard show`: one card, as it is, with its README."""

from __future__ import annotations

from pathlib import Path

import click

from steelyard import catalog
from steelyard.cli.options import cards_option
from steelyard.errors import UnknownNameError


@click.command("show", epilog="Examples:  steelyard show spam   |   steelyard show minilm-head")
@click.argument("name", metavar="ID")
@cards_option
def command(name: str, cards: tuple[Path, ...]) -> None:
    """Show the card and the README of a task or a model."""
    found = catalog.load(cards)
    if name in found.tasks or name in found.models:
        folders = [table[name].folder for table in (found.tasks, found.models) if name in table]
    else:
        raise UnknownNameError(_unknown(name, [*found.tasks, *found.models]))
    for folder in folders:
        click.echo(f"# {folder / 'card.toml'}\n")
        for file in ("card.toml", "README.md"):
            if (folder / file).is_file():
                click.echo((folder / file).read_text())


def _unknown(name: str, known: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(sorted(known))}"
    return f"no task or model '{name}'; {hint}"
