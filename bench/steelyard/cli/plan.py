"""`steelyard plan`: what would run."""

from __future__ import annotations

from pathlib import Path

import click

from steelyard.cli.options import Others, model_options, offline_option, selection, suite_options
from steelyard.cli.output import print_columns
from steelyard.plan import PlannedCell


@click.command("plan", epilog="Examples:  steelyard plan --quick   |   steelyard plan -k intent/")
@suite_options
@model_options
@offline_option
def command(
    suite: Path | None,
    quick: bool,
    patterns: tuple[str, ...],
    cards: tuple[Path, ...],
    models: tuple[str, ...],
    device: str | None,
    offline: bool,
) -> None:
    """Show the cells of SUITE, how many items each is asked, and what is refused and why."""
    others = Others(models=models, device=device, offline=offline)
    chosen = selection(suite, quick=quick, patterns=patterns, cards=cards, others=others)
    print_columns([_line(planned) for planned in chosen.planned])


def _line(planned: PlannedCell) -> tuple[str, ...]:
    asked = f"{planned.sample} items sampled" if planned.sample else "all test items"
    asked += ", accuracy only" if planned.subset else ""
    said = f"refused: {planned.refusal}" if planned.refusal else asked
    return (planned.cell.id, planned.model.card.role, planned.variant.precision, said)
