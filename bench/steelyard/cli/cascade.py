"""`steelyard cascade`: the specialist answers, the generalist is asked where it is unsure."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec
from msgspec import Struct, structs

from steelyard import catalog, store
from steelyard.cascade import asking
from steelyard.cascade.making import make
from steelyard.cascade.pairing import lacks_scores
from steelyard.cascade.spending import Terms, running_cost
from steelyard.cascade.threshold_file import Basis, encode, threshold_file
from steelyard.cascade.types import Cascade, Wanted
from steelyard.catalog import Catalog
from steelyard.cli import cascade_text as text
from steelyard.cli.cells import Kept, kept, newest_unless, pick, predictions
from steelyard.cli.options import cards_option, offline_option
from steelyard.cli.output import print_columns
from steelyard.cli.progress import Talking
from steelyard.cli.quantities import duration, energy, number, share
from steelyard.cost import load_prices
from steelyard.errors import StoreError
from steelyard.measure import Bench
from steelyard.prepare.cache import Cache
from steelyard.verdict.matching import Pair, Side, by_item

NONE_MEETS = 3
SCHEMA = 1


@click.command(
    "cascade",
    epilog="Examples:  steelyard cascade results/default --task spam --specialist "
    "minilm-head@int8 --generalist qwen2.5-coder-1.5b@int8 --max-escalated 0.2 -o threshold.json",
)
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--task", required=True, metavar="ID", help="The task both were measured on.")
@click.option(
    "--specialist", required=True, metavar="CELL", help="MODEL@VARIANT, or MODEL@VARIANT/DEVICE."
)
@click.option(
    "--generalist", required=True, metavar="CELL", help="MODEL@VARIANT, or MODEL@VARIANT/DEVICE."
)
@click.option("--min-score", type=share, help="Least accuracy; then the fewest are escalated.")
@click.option("--max-latency", type=duration, help="Most mean time of a call, such as 50ms.")
@click.option("--max-p99", type=duration, help="Most time that 99 of 100 calls take.")
@click.option("--max-energy", type=energy, help="Most mean energy of a call, such as 10mJ.")
@click.option(
    "--max-cost",
    type=number,
    help="Most running cost of 1,000 calls, in the currency of the prices.",
)
@click.option("--max-escalated", type=share, help="Most calls that go on, as a share: 0.2.")
@click.option(
    "--prices",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Prices of your own, as steelyard cost writes them.  [default: the shipped ones]",
)
@click.option("--round-trip", type=duration, help="Time on the way to the generalist and back.")
@click.option("--ask-again", is_flag=True, help="Ask the specialist again for scores not kept.")
@click.option(
    "--format", "-f", "form", type=click.Choice(["table", "json"]), default="table",
    show_default=True,
)  # fmt: skip
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write the threshold."
)
@offline_option
@cards_option
def command(
    runs: tuple[Path, ...],
    task: str,
    specialist: str,
    generalist: str,
    min_score: float | None,
    max_latency: float | None,
    max_p99: float | None,
    max_energy: float | None,
    max_cost: float | None,
    max_escalated: float | None,
    prices: Path | None,
    round_trip: float | None,
    ask_again: bool,
    form: str,
    output: Path | None,
    offline: bool,
    cards: tuple[Path, ...],
) -> int:
    """Choose when a specialist hands an item on to a generalist, from RUNS' kept answers.

    Without RUNS: the newest local run. The specialist's scores are calibrated on test items that
    the generalist was not asked, the threshold is chosen by cross-fitting on those it was. Exit
    code 3 where no threshold meets what was asked. In production,
    steelyard.cascade.decide(scores, policy) says when to ask.
    """
    wanted = Wanted(
        min_score=min_score,
        max_latency_ns=max_latency,
        max_p99_ns=max_p99,
        max_energy_j=max_energy,
        max_cost=None if max_cost is None else max_cost / 1000,
        max_escalated=max_escalated,
    )
    found = catalog.load(cards)
    cells = kept(newest_unless(runs), task)
    again = _Again(found=found, allowed=ask_again, offline=offline)
    small, large = pick(cells, specialist), pick(cells, generalist)
    basis = Basis(
        specialist=small.record,
        generalist=large.record,
        labels=tuple(label.id for label in found.task(task).card.labels),
    )
    answering, changed = _scored(small, again)
    terms = Terms(
        wanted=wanted,
        round_trip_ns=round_trip or 0.0,
        money=running_cost(load_prices(prices)),
    )
    made = make(Pair(small=answering, large=_side(large)), basis.labels, terms)
    made = structs.replace(made, caveats=(*made.caveats, *changed))
    _print(made, form)
    if output is not None and made.chosen is not None:
        file = threshold_file(made, basis, text.evaluation(made))
        store.write_atomically(output, encode(file))
        click.echo(f"kept in {output}", err=True)
        if not text.gains(made.expected):
            click.echo(f"warning: {text.conclusion(made.expected)}", err=True)
    return 0 if made.chosen else NONE_MEETS


class _Report(Struct, frozen=True, kw_only=True):
    """What -f json writes."""

    schema: int
    cascade: Cascade


class _Again(Struct, frozen=True, kw_only=True):
    """Whether a specialist may be asked again, and with what."""

    found: Catalog
    allowed: bool
    offline: bool


def _side(one: Kept) -> Side:
    return Side(record=one.record, host=one.host, answers=by_item(predictions(one)))


def _scored(one: Kept, again: _Again) -> tuple[Side, tuple[str, ...]]:
    """Return the specialist with a score a label, asked again for them where that is allowed."""
    side = _side(one)
    if not lacks_scores(side.answers):
        return side, ()
    if not again.allowed:
        raise StoreError(
            f"{one.record.cell.id}: its record keeps no scores; --ask-again asks its artefact for "
            "them"
        )
    bench = Bench(cache=Cache.default(), progress=Talking(), offline=again.offline)
    asked = asking.ask_again(one.record, tuple(side.answers.values()), again.found, bench)
    said = f"the specialist was asked again for its scores: {asked.changed} answers are other ones"
    return structs.replace(side, answers=by_item(asked.predictions)), (said,)


def _print(made: Cascade, form: str) -> None:
    if form == "json":
        encoded = msgspec.json.encode(_Report(schema=SCHEMA, cascade=made), order="deterministic")
        click.echo(msgspec.json.format(encoded, indent=2))
        return
    rows, said = text.calibration(made.calibrated)
    click.echo(f"{text.heading(made)}\n")
    print_columns(rows)
    click.echo(f"{said}\n")
    print_columns(text.frontier(made))
    click.echo("\n".join(("", *text.verdict(made), "")))
    click.echo("\n".join(f"- {note}" for note in text.notes(made)))
