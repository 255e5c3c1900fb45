"""`steelyard bundle`: pack what a suite needs for a device without torch and without network."""

from __future__ import annotations

from pathlib import Path

import click

from steelyard import bundle
from steelyard.cli.options import offline_option, selection, suite_options
from steelyard.cli.progress import Talking
from steelyard.measure import Bench
from steelyard.prepare.cache import Cache
from steelyard.report import units
from steelyard.report.wrapping import wrapped

LEFT_OUT = 3


@click.command(
    "bundle",
    epilog="Examples:  steelyard bundle -k intent/ -o intent.zip   |   "
    "steelyard run --bundle intent.zip",
)
@suite_options
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("bundle.zip"),
    show_default=True,
    help="The file to write.",
)
@offline_option
def command(
    suite: Path | None,
    quick: bool,
    patterns: tuple[str, ...],
    cards: tuple[Path, ...],
    output: Path,
    offline: bool,
) -> int:
    """Prepare the cells of SUITE and pack artefacts, items and cards into one file.

    On the device, with the same version of steelyard: steelyard run --bundle FILE. Every file is
    verified there before any is used. Models that are asked in words are left out: they choose
    their prompt where they run.
    """
    chosen = selection(suite, quick=quick, patterns=patterns, cards=cards)
    progress = Talking()
    cache = Cache.default()
    cache.check()
    bench = Bench(cache=cache, progress=progress, offline=offline)
    packed = bundle.pack(chosen.suite, chosen.planned, bench, output)
    for cell, reason in packed.left_out:
        click.echo(wrapped(f"left out: {cell}: {reason}", hang=2), err=True)
    for cell in packed.cells:
        click.echo(cell)
    click.echo(f"written: {packed.path} ({units.size(packed.size_bytes)})", err=True)
    return LEFT_OUT if packed.left_out else 0
