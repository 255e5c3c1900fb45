"""`steelyard list`: what there is."""

from __future__ import annotations

from pathlib import Path

import click

from steelyard import catalog
from steelyard.catalog import Catalog
from steelyard.cli.options import cards_option, selection
from steelyard.cli.output import print_columns


@click.command(
    "list", epilog="Examples:  steelyard list tasks   |   steelyard list cells --suite bench.toml"
)
@click.argument("what", type=click.Choice(["tasks", "models", "cells"]))
@click.option("--suite", type=click.Path(path_type=Path), help="For cells: the suite's file.")
@click.option("--quick", is_flag=True, help="For cells: the quick suite.")
@cards_option
def command(what: str, suite: Path | None, quick: bool, cards: tuple[Path, ...]) -> None:
    """List WHAT: tasks, models or cells, one a line."""
    if what == "cells":
        chosen = selection(suite, quick=quick, patterns=(), cards=cards)
        for planned in chosen.planned:
            click.echo(planned.cell.id)
        return
    found = catalog.load(cards)
    print_columns(_tasks(found) if what == "tasks" else _models(found))


def _tasks(found: Catalog) -> list[tuple[str, ...]]:
    cards = [entry.card for entry in found.tasks.values()]
    return [
        (card.id, f"{len(card.labels)} labels", card.metric, card.domain, card.title)
        for card in sorted(cards, key=lambda card: card.id)
    ]


def _models(found: Catalog) -> list[tuple[str, ...]]:
    cards = [entry.card for entry in found.models.values()]
    return [
        (
            card.id,
            card.role,
            " ".join(variant.id for variant in card.variants),
            " ".join(card.tasks),
            card.title,
        )
        for card in sorted(cards, key=lambda card: (card.role, card.id))
    ]
