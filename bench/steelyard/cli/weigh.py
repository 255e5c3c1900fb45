"""`steelyard weigh`: a task made of a person's own data, run, and what came of it."""

from __future__ import annotations

from pathlib import Path

import click

from steelyard import catalog, store
from steelyard.cli import run
from steelyard.cli.cells import LOCAL
from steelyard.cli.options import offline_option
from steelyard.cli.progress import Talking
from steelyard.errors import OptionError
from steelyard.prepare.cache import Cache
from steelyard.record import Prediction, Record
from steelyard.weigh import confusion, export, making, sources, suite, task
from steelyard.weigh import result as results
from steelyard.weigh.intake import Rules
from steelyard.weigh.making import Made, Wish
from steelyard.weigh.result import Result
from steelyard.weigh.rows import Columns, Format

NONE = "none"


@click.command(
    "weigh",
    epilog="Examples:  steelyard weigh tickets.csv --text message --label team   |   "
    "steelyard weigh mails.jsonl --text body --label folder --time sent --generalist "
    "qwen2.5-coder-0.5b   |   zcat big.csv.gz | steelyard weigh - --text message --label team",
)
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--text", required=True, metavar="COLUMN", help="What is to be sorted.")
@click.option("--label", required=True, metavar="COLUMN", help="Where it belongs.")
@click.option("--group", metavar="COLUMN", help="Rows of one group are never split: a customer ...")
@click.option(
    "--time", metavar="COLUMN", help="Train on earlier rows, test on later: ISO 8601 or numbers."
)
@click.option(
    "--generalist",
    metavar="MODEL",
    default=NONE,
    show_default=True,
    help="An LLM to weigh against, such as qwen2.5-coder-0.5b.",
)
@click.option(
    "--asked",
    type=click.IntRange(min=10),
    default=100,
    show_default=True,
    help="How many test items the generalist is asked.",
)
@click.option("--prompt", metavar="TEXT", help="How to ask it; tried beside three of our own.")
@click.option("--name", metavar="NAME", help="The task's name.  [default: the file's]")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl", "parquet"]))
@click.option("--encoding", help="What the text is in.  [default: UTF-8, or as its mark says]")
@click.option(
    "--max-rows",
    type=click.IntRange(min=10, max=1_000_000),
    default=20_000,
    show_default=True,
    help="Keep a sample of so many rows, drawn by --seed.",
)
@click.option(
    "--max-bad",
    type=click.FloatRange(min=0, max=1),
    default=0.05,
    show_default=True,
    help="Refuse the file if a larger share of its rows is unusable.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    help=f"Where all of it is kept.  [default: {LOCAL}/NAME]",
)
@click.option("--resume", is_flag=True, help="Go on with the newest run on the same data.")
@offline_option
@click.pass_context
def command(
    ctx: click.Context,
    data: Path,
    text: str,
    label: str,
    group: str | None,
    time: str | None,
    generalist: str,
    asked: int,
    prompt: str | None,
    name: str | None,
    form: Format | None,
    encoding: str | None,
    max_rows: int,
    max_bad: float,
    seed: int,
    output: Path | None,
    resume: bool,
    offline: bool,
) -> int:
    """Weigh small models on your own labelled DATA: CSV, JSON lines or Parquet, or - for stdin.

    Makes a task of DATA, trains specialists on it, weighs them and prints the table, the verdict
    (against a generalist, if one is named; else the two best specialists set against each other),
    the confusion matrix, and how to load the best artefact.

    Your data never leaves this machine: models are downloaded, nothing is sent. Texts are kept in
    the output folder and in steelyard's cache, and nowhere shown: what is told of them are counts,
    column names and label names.
    """
    progress = Talking()
    found = catalog.load()
    chosen_name = task.name_of(data, name, frozenset(found.tasks))
    wish = Wish(
        source=sources.source(data, form, encoding),
        columns=_columns(text, label, group, time),
        name=chosen_name,
        folder=output or LOCAL / chosen_name,
        paraphrases=task.prompts(prompt),
        rules=Rules(cap=max_rows, seed=seed, max_bad=max_bad),
        asked=asked,
    )
    models = suite.models(found, None if generalist == NONE else generalist)
    cache = Cache.default()
    models = suite.fetched(found, models, cache, progress, offline=offline)
    for line in models.absent:
        progress.say(line)
    made = making.make(wish, models, progress)
    written = made.written
    status: int = ctx.invoke(
        run.command,
        suite=written.suite,
        cards=(written.cards,),
        output=written.folder,
        resume=resume,
        offline=offline,
    )
    _finish(made, cache)
    return status


def _columns(text: str, label: str, group: str | None, time: str | None) -> Columns:
    """Return the columns; refuse one that is asked for in two roles, and two ways to split."""
    named = [column for column in (text, label, group, time) if column is not None]
    if len(set(named)) < len(named):
        raise OptionError("--text, --label, --group and --time: name a column once only")
    if group is not None and time is not None:
        raise OptionError("give either --group or --time: a split follows one of them")
    return Columns(text=text, label=label, group=group, time=time)


def _finish(made: Made, cache: Cache) -> None:
    """Print what the table does not say, and put the artefact into the output folder."""
    written = made.written
    folder = store.latest_run(written.folder, written.id)
    records = [record for one in store.read_runs(folder) for record in one.records]
    card = catalog.load((written.cards,)).task(written.id).card

    def load(record: Record) -> tuple[Prediction, ...] | None:
        digest = record.predictions_sha256
        return store.read_predictions(folder, digest) if digest else None

    result = results.result(records, load, card, made.division.rows_per_test_item)
    if result is None:
        click.echo("No specialist could be measured: the table says why.", err=True)
        return
    table = confusion.csv_text(result.matrix).encode()
    store.write_atomically(written.folder / "confusion.csv", table)
    _show(result, written.folder)
    if result.useless:
        click.echo(results.none_to_take(len(card.labels), len(made.division.items)))
        if export.withdraw(written.folder):
            click.echo("The artefact of an earlier call was removed.", err=True)
        return
    _show_artefact(result, export.export(result.choice.record, cache, written.folder))


def _show(result: Result, folder: Path) -> None:
    """Print the findings and the matrix."""
    best = result.choice
    for line in result.said:
        click.echo(line)
    click.echo(f"\n{results.name(best.record)}: what was taken for what\n")
    click.echo(confusion.text(result.matrix))
    click.echo(f"The whole matrix: {folder / 'confusion.csv'}")


def _show_artefact(result: Result, home: Path) -> None:
    """Print which specialist to take, and the lines that load it."""
    best = result.choice
    click.echo(f"The specialist to take: {results.name(best.record)}; {best.reason}.")
    click.echo(f"Its artefact: {home}\n")
    click.echo((home / export.EXAMPLE).read_text(encoding="utf-8"), nl=False)
