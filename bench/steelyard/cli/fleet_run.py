"""`steelyard fleet run` and `status`: prepare, dispatch, tell what happens by device."""

from __future__ import annotations

import hashlib
import sys
import time
from collections import Counter
from pathlib import Path

import click
import msgspec
from msgspec import Struct
from rich.console import Console
from rich.live import Live
from rich.table import Table

from steelyard import bundle, catalog, plan
from steelyard.bundle import Unpacked
from steelyard.catalog import Catalog
from steelyard.cli.options import selection
from steelyard.cli.output import print_columns, print_tables
from steelyard.cli.progress import Talking
from steelyard.fleet.addresses import Place
from steelyard.fleet.dispatch import Dispatcher
from steelyard.fleet.keeping import Home, Pins
from steelyard.fleet.link import DaskLink
from steelyard.fleet.messages import Offer
from steelyard.fleet.standing import Standing
from steelyard.fleet.talking import Rules, Unfinished
from steelyard.fleet.tasks import Present
from steelyard.measure import Bench
from steelyard.prepare.cache import Cache
from steelyard.prepare.hashing import file_sha256
from steelyard.record import Record
from steelyard.report.units import clean
from steelyard.report.wrapping import wrapped

COULD_NOT_MEASURE = 3


class Wanted(Struct, frozen=True, kw_only=True):
    """What the command was asked for."""

    suite: Path | None
    quick: bool
    patterns: tuple[str, ...]
    cards: tuple[Path, ...]
    packed: Path | None
    offline: bool
    devices: tuple[str, ...]
    output: Path
    resume: bool
    fresh: bool
    wait_s: float


def run(wanted: Wanted, place: Place, folder: Path | None) -> int:
    """Send a suite's cells to the fleet; return the exit code."""
    cache = Cache.default()
    cache.check()
    path, left_out = _packed(wanted, cache)
    unpacked = bundle.unpack(path, cache)
    found = catalog.only(unpacked.cards)
    digest = file_sha256(path)
    home = _home(wanted, unpacked, digest, _pins(found))
    offer = Offer(
        run=home.listing.run,
        bundle_sha256=digest,
        size_bytes=path.stat().st_size,
        patterns=wanted.patterns,
        fresh=wanted.fresh,
    )
    link = DaskLink(place, folder)
    link.connect()
    rules = Rules(devices=wanted.devices, wait_s=wanted.wait_s)
    with ByDevice() as shown:
        try:
            unfinished = Dispatcher(link, home, offer, path, rules).run(time.monotonic, shown)
        except KeyboardInterrupt:
            shown.say(f"stopped; {home.folder} keeps what is home, --resume goes on")
            raise
        finally:
            link.close()
    return _told(home, found, unfinished, shown.outcomes) or left_out


def _packed(wanted: Wanted, cache: Cache) -> tuple[Path, int]:
    """Return the bundle, and the exit code that cells left out of it come to."""
    if wanted.packed is not None:
        return wanted.packed, 0
    chosen = selection(
        wanted.suite, quick=wanted.quick, patterns=wanted.patterns, cards=wanted.cards
    )
    bench = Bench(cache=cache, progress=Talking(), offline=wanted.offline)
    # By what is asked for: the same again finds the same, also after a kill.
    asked = hashlib.sha256(plan.fingerprint(chosen.planned).encode()).hexdigest()[:32]
    path = cache.root / "fleet" / f"{asked}.zip"
    packed = bundle.pack(chosen.suite, chosen.planned, bench, path)
    for cell, reason in packed.left_out:
        click.echo(wrapped(f"left out: {cell}: {reason}", hang=2), err=True)
    return path, COULD_NOT_MEASURE if packed.left_out else 0


def _home(wanted: Wanted, unpacked: Unpacked, digest: str, pins: Pins) -> Home:
    begin = Home.resume if wanted.resume else Home.start
    return begin(wanted.output, unpacked.bundle.suite.name, digest, pins)


def _pins(found: Catalog) -> Pins:
    return Pins(
        tasks={name: one.sha256 for name, one in found.tasks.items()},
        models={name: one.sha256 for name, one in found.models.items()},
    )


def _told(
    home: Home, found: Catalog, unfinished: tuple[Unfinished, ...], outcomes: Counter[str]
) -> int:
    """Write the run files, print the table, say what is unfinished; return the exit code."""
    folders = home.close()
    if folders:
        print_tables(folders, found)
    for one in unfinished:
        what = one.cell or "no cell"
        click.echo(wrapped(f"unfinished: {one.label}: {what}: {one.reason}", hang=2), err=True)
    click.echo(f"kept in {home.folder}, a folder a device", err=True)
    measured = outcomes["ok"] + outcomes["invalid"] + outcomes["refused"]
    failed = sum(outcomes.values()) - measured
    return COULD_NOT_MEASURE if unfinished or failed or not folders else 0


class ByDevice:
    """Tells what happens; on a terminal also shows the devices, drawn anew when something does."""

    def __init__(self) -> None:
        console = Console(file=sys.stderr, highlight=False, markup=False, soft_wrap=True)
        self._console = console
        self._drawn: tuple[tuple[str, ...], ...] = ()
        live = console.is_terminal and not console.is_dumb_terminal
        self._live = Live(console=console, auto_refresh=False, transient=True) if live else None
        self.outcomes: Counter[str] = Counter()

    def __enter__(self) -> ByDevice:  # noqa: PYI034 - `Self` is Python 3.11's
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, message: str) -> None:
        """Tell one line."""
        self._console.print(clean(message))

    def finished(self, label: str, record: Record) -> None:
        """Tell of a record that is home."""
        self.outcomes[record.outcome] += 1
        score = record.score()
        said = f"{score.metric} {score.value:.3f} (n={score.n})" if score else record.reason or ""
        outcome = "" if record.outcome == "ok" else f"{record.outcome}: "
        self.say(f"{label}: {record.cell.id}  {outcome}{said}  {record.seconds:.0f} s")

    def show(self, standings: tuple[Standing, ...]) -> None:
        """Draw the devices where something has changed."""
        rows = tuple(_row(one) for one in standings)
        if self._live is None or rows == self._drawn:
            return
        table = Table(box=None)
        for name in ("device", "done", "state", "cell"):
            table.add_column(name)
        for row in rows[: max(1, self._console.height - 4)]:
            table.add_row(*row)
        self._live.update(table, refresh=True)
        self._drawn = rows


def _row(one: Standing) -> tuple[str, ...]:
    state = "measuring" if one.state == "ready" else one.state
    return one.label, f"{one.done}/{one.total}", state, clean(one.cell or "")


def show_status(place: Place, folder: Path | None, *, as_json: bool) -> None:
    """Print the devices that the scheduler hears of."""
    link = DaskLink(place, folder)
    link.connect()
    try:
        told = link.roster()
    finally:
        link.close()
    present = sorted(msgspec.json.decode(told, type=list[Present]), key=lambda one: one.label)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(present), indent=2))
        return
    rows = [("device", "address", "heard of", "at")]
    rows += [
        (clean(one.label), one.address, f"{one.silent_s:.0f} s ago", _busy(one)) for one in present
    ]
    print_columns(rows)


def _busy(one: Present) -> str:
    if not one.under_way:
        return "idle"
    kind, _, rest = one.under_way[0].partition("|")
    cell = rest.split("|")[1] if kind == "order" else kind
    return clean(cell if one.busy_s is None else f"{cell}, for {one.busy_s:.0f} s")
