"""`steelyard plan`: what would run."""

from __future__ import annotations

from pathlib import Path

import click

from steelyard.cli.options import Others, model_options, offline_option, selection, suite_options
from steelyard.cli.output import print_columns
from steelyard.plan import PlannedCell
from steelyard.report.wrapping import wrapped


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
    refusals = tuple(dict.fromkeys(one.refusal for one in chosen.planned if one.refusal))
    print_columns([_line(planned, refusals) for planned in chosen.planned])
    for number, refusal in enumerate(refusals, 1):
        click.echo(wrapped(f"({number}) {refusal}", hang=4))


def _line(planned: PlannedCell, refusals: tuple[str, ...]) -> tuple[str, ...]:
    """Return a cell's columns; a refusal that many share is a number."""
    said = f"{planned.sample} items sampled" if planned.sample else "all test items"
    said += ", accuracy only" if planned.subset else ""
    if planned.refusal:
        said = f"refused ({1 + refusals.index(planned.refusal)})"
    return (planned.cell.id, planned.model.card.role, planned.variant.precision, said)
