"""`steelyard plan`: what would run."""

from __future__ import annotations

from pathlib import Path

import click

from steelyard.cli.options import selection, suite_options
from steelyard.cli.output import print_columns
from steelyard.plan import PlannedCell


@click.command("plan", epilog="Examples:  steelyard plan --quick   |   steelyard plan -k intent/")
@suite_options
def command(
    suite: Path | None, quick: bool, patterns: tuple[str, ...], cards: tuple[Path, ...]
) -> None:
    """Show the cells of SUITE, how many items each is asked, and what is refused and why."""
    chosen = selection(suite, quick=quick, patterns=patterns, cards=cards)
    print_columns([_line(planned) for planned in chosen.planned])


def _line(planned: PlannedCell) -> tuple[str, ...]:
    asked = f"{planned.sample} items sampled" if planned.sample else "all test items"
    said = f"refused: {planned.refusal}" if planned.refusal else asked
    return (planned.cell.id, planned.model.card.role, planned.variant.precision, said)
