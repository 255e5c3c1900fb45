"""Options that several commands share, and what they stand for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from steelyard import catalog, host, plan
from steelyard.catalog import Catalog
from steelyard.plan import PlannedCell, Suite

ALSO_QUICK = "STEELYARD_QUICK=1 does the same"


class Selection(Struct, frozen=True, kw_only=True):
    """What a command was asked to work on."""

    catalog: Catalog
    suite: Suite
    planned: tuple[PlannedCell, ...]


def cards_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --cards."""
    return click.option(
        "--cards",
        multiple=True,
        type=click.Path(path_type=Path, file_okay=False),
        help="A folder with tasks/ and models/ of your own; may be given several times.",
    )(function)


def suite_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the suite argument, --quick, -k and --cards."""
    function = click.argument("suite", required=False, type=click.Path(path_type=Path))(function)
    function = click.option(
        "--quick", is_flag=True, envvar="STEELYARD_QUICK", help=f"A short run ({ALSO_QUICK})."
    )(function)
    function = click.option(
        "-k",
        "patterns",
        multiple=True,
        metavar="TEXT",
        help="Only cells whose id contains TEXT; several: any of them.",
    )(function)
    return cards_option(function)


def selection(
    suite: Path | None,
    *,
    quick: bool,
    patterns: tuple[str, ...],
    cards: tuple[Path, ...],
    memory_limit: str | None = None,
) -> Selection:
    """Read cards and suite and plan the selected cells."""
    found = catalog.load(cards)
    loaded = plan.load_suite(suite or _own_suite(), quick=quick)
    if memory_limit is not None:
        loaded = plan.limited(loaded, memory_limit)
    planned = plan.select(plan.cells(loaded, found, host.cores()), patterns)
    return Selection(catalog=found, suite=loaded, planned=planned)


def offline_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --offline."""
    return click.option(
        "--offline",
        is_flag=True,
        envvar="STEELYARD_OFFLINE",
        help="Use the cache and local files only.",
    )(function)


def _own_suite() -> Path | None:
    """Return the project's bench.toml where there is one in the present folder."""
    own = Path("bench.toml")
    return own if own.is_file() else None
