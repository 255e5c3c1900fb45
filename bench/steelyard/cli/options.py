"""Options that several commands share, and what they stand for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from steelyard import catalog, devices, host, plan
from steelyard.catalog import Catalog
from steelyard.errors import OptionError
from steelyard.plan import PlannedCell, Suite
from steelyard.units_in import SizeError

ALSO_QUICK = "STEELYARD_QUICK=1 does the same"


class Others(Struct, frozen=True, kw_only=True):
    """Models that were named in place of the suite's, where they run, whether a hub is asked."""

    models: tuple[str, ...] = ()
    device: str | None = None
    offline: bool = False


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


def model_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --model and --device."""
    function = click.option(
        "--model",
        "models",
        multiple=True,
        metavar="MODEL",
        help="Run this in place of the suite's models: a card's MODEL[@VARIANT], or without a card "
        "hub:ORG/NAME@REVISION or path:DIR (#FILE.gguf picks one of several).",
    )(function)
    return click.option(
        "--device",
        metavar="DEVICE",
        help="Where --model runs: cuda, cpu-all, cpu-1t.  [default: as the suite's own]",
    )(function)


def selection(
    suite: Path | None,
    *,
    quick: bool,
    patterns: tuple[str, ...],
    cards: tuple[Path, ...],
    memory_limit: str | None = None,
    others: Others | None = None,
) -> Selection:
    """Read cards and suite and plan the selected cells."""
    found = catalog.load(cards)
    loaded = plan.load_suite(suite or _own_suite(), quick=quick)
    if others is not None:
        loaded, found = _with_others(loaded, found, others)
    if memory_limit is not None:
        loaded = _limited(loaded, memory_limit)
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


def _with_others(suite: Suite, found: Catalog, others: Others) -> tuple[Suite, Catalog]:
    """Put the named models in place of the suite's; refuse --device where none is named."""
    if not others.models:
        if others.device is not None:
            raise OptionError("--device goes with --model; a suite says its devices itself")
        return suite, found
    # Late: only who names a model pays for it.
    from steelyard import adhoc
    from steelyard.cli.progress import Talking
    from steelyard.prepare.cache import Cache

    cache = Cache.default()
    cache.check()
    desk = adhoc.Desk(cache=cache, progress=Talking(), offline=others.offline)
    if others.device is not None:
        devices.check(others.device, "--device")
    return adhoc.added(suite, found, others.models, others.device, desk)


def _limited(suite: Suite, memory_limit: str) -> Suite:
    try:
        return plan.limited(suite, memory_limit)
    except SizeError as error:
        raise OptionError(f"--memory-limit: {error}") from error


def _own_suite() -> Path | None:
    """Return the project's bench.toml where there is one in the present folder."""
    own = Path("bench.toml")
    return own if own.is_file() else None
