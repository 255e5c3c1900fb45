"""`steelyard prepare`: fetch and build, so that a later run measures only."""

from __future__ import annotations

from pathlib import Path

import click

from steelyard.cli.options import Others, model_options, offline_option, selection, suite_options
from steelyard.cli.progress import Talking
from steelyard.errors import SteelyardError
from steelyard.measure import Bench, prepare_cell
from steelyard.prepare.cache import Cache

COULD_NOT_PREPARE = 3


@click.command("prepare", epilog="Examples:  steelyard prepare   |   steelyard prepare -k qwen")
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
) -> int:
    """Fetch and build what SUITE needs. What is there already is checked and kept."""
    others = Others(models=models, device=device, offline=offline)
    chosen = selection(suite, quick=quick, patterns=patterns, cards=cards, others=others)
    progress = Talking()
    cache = Cache.default()
    cache.check()
    bench = Bench(cache=cache, progress=progress, offline=offline)
    failed = 0
    for planned in chosen.planned:
        try:
            artifact = prepare_cell(planned, bench)
        except SteelyardError as error:
            failed += 1
            progress.say(f"{planned.cell.id}: {error}")
            continue
        click.echo(f"{planned.cell.id}\t{artifact.ref.sha256[:16]}\t{artifact.ref.size_bytes}")
    return COULD_NOT_PREPARE if failed else 0
