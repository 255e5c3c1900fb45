"""`steelyard run`: run a suite, keep its records, print its table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click

from steelyard import bundle, catalog, host, plan, runner, tuned, tuning
from steelyard.cli import tune as tune_command
from steelyard.cli.cells import LOCAL
from steelyard.cli.options import (
    Others,
    Selection,
    model_options,
    offline_option,
    selection,
    suite_options,
)
from steelyard.cli.output import print_tables
from steelyard.cli.progress import Talking
from steelyard.errors import OptionError, SteelyardError
from steelyard.measure import Bench
from steelyard.plan import PlannedCell
from steelyard.prepare.cache import Cache
from steelyard.record import Record, TunedSetting
from steelyard.store import Journal
from steelyard.tuning import Tuning, Wishes

COULD_NOT_MEASURE = 3


@click.command(
    "run",
    epilog="Examples:  steelyard run --quick   |   steelyard run bench.toml -k spam/   |   "
    "steelyard run --resume   |   "
    "steelyard run --model hub:Qwen/Qwen2.5-7B-Instruct@main --device cuda",
)
@suite_options
@model_options
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default=LOCAL,
    show_default=True,
    help="Where the run's folder is made.",
)
@click.option("--resume", is_flag=True, help="Continue this suite's newest run.")
@click.option(
    "--memory-limit",
    metavar="SIZE",
    help="Hold every worker to SIZE, such as 512MB; what does not fit is a result too.",
)
@click.option(
    "--bundle",
    "packed",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Run what `steelyard bundle` packed, and nothing else; no network is used.",
)
@offline_option
@click.option(
    "--fresh",
    is_flag=True,
    help="Ask every item again; else answers that an artefact gave here before are recalled.",
)
@click.option(
    "--tune",
    is_flag=True,
    help="As root: `tune on` while the run lasts, and set back after it, however it ends.",
)
@click.option("--verbose", "-v", is_flag=True, help="Also say every pass, and how long it took.")
def command(
    suite: Path | None,
    quick: bool,
    patterns: tuple[str, ...],
    cards: tuple[Path, ...],
    models: tuple[str, ...],
    device: str | None,
    output: Path,
    resume: bool,
    memory_limit: str | None,
    packed: Path | None,
    offline: bool,
    fresh: bool,
    tune: bool,
    verbose: bool,
) -> int:
    """Run SUITE (a file, or the name of a shipped suite) and print its table.

    Without SUITE: bench.toml in this folder, or else the shipped default suite. Every finished
    cell is kept at once; after Ctrl-C or a crash, --resume goes on with the next one.
    """
    progress = Talking(verbose=verbose)
    cache = Cache.default()
    cache.check()
    if packed is not None:
        if suite or quick or cards or models or device or memory_limit:
            raise OptionError("--bundle brings its suite, cards and models: leave the others out")
        chosen = _bundled(packed, patterns, cache)
    else:
        chosen = selection(
            suite,
            quick=quick,
            patterns=patterns,
            cards=cards,
            memory_limit=memory_limit,
            others=Others(models=models, device=device, offline=offline),
        )
    bench = Bench(
        cache=cache,
        progress=progress,
        offline=offline or packed is not None,
        fresh=fresh,
        bundled=packed is not None,
    )
    with _tuned(progress, tune=tune) as settings:
        if resume:
            journal = runner.resume(chosen.planned, chosen.suite.name, output, settings)
        else:
            journal = runner.start(chosen.planned, chosen.suite.name, output, settings)
        journal = _run(chosen.planned, journal, bench, progress)
    print_tables((journal.folder,), chosen.catalog)
    invalid = sum(record.outcome == "invalid" for record in journal.records)
    if invalid:
        progress.say(
            f"{invalid} of {len(journal.records)} cells have no valid window: the notes say why"
        )
    progress.say(f"kept in {journal.folder}")
    return _status(journal)


def _bundled(packed: Path, patterns: tuple[str, ...], cache: Cache) -> Selection:
    """Verify a bundle and return what it holds."""
    unpacked = bundle.unpack(packed, cache)
    planned = plan.select(bundle.cells(unpacked, host.cores()), patterns)
    found = catalog.only(unpacked.cards)
    return Selection(catalog=found, suite=unpacked.bundle.suite, planned=planned)


def _run(
    planned: tuple[PlannedCell, ...], journal: Journal, bench: Bench, progress: Talking
) -> Journal:
    counter = _Counter(len(planned), len(journal.finished()), progress)
    try:
        return runner.run(planned, journal, bench, counter.count)
    except KeyboardInterrupt:
        progress.say(f"stopped; {journal.folder} keeps what is finished, --resume goes on")
        raise


@contextmanager
def _tuned(progress: Talking, *, tune: bool) -> Generator[tuple[TunedSetting, ...], None, None]:
    """Tune for the run if asked; else only tell what is tuned, and undo what a killed run left."""
    if not tune:
        yield _tuned_before(progress)
        return
    with tuned.for_run(tune_command.here("on"), Wishes()) as state:
        _say(progress, state)
        yield tuned.kept(state)


def _tuned_before(progress: Talking) -> tuple[TunedSetting, ...]:
    try:
        state = tuning.status(tune_command.here("off"))
    except SteelyardError as error:
        progress.say(str(error))
        return ()
    _say(progress, state)
    return tuned.kept(state)


def _say(progress: Talking, state: Tuning) -> None:
    for note in state.notes:
        progress.say(note)
    if state.on:
        progress.say(f"{len(state.settings)} clock settings are tuned (steelyard tune status)")


class _Counter:
    """Tells each finished cell as it comes."""

    def __init__(self, total: int, done: int, progress: Talking) -> None:
        self._total = total
        self._done = done
        self._progress = progress
        if done:
            progress.say(f"{done} of {total} cells are finished already")

    def count(self, record: Record) -> None:
        """Tell one record."""
        self._done += 1
        score = record.score()
        said = f"{score.metric} {score.value:.3f} (n={score.n})" if score else record.reason or ""
        outcome = "" if record.outcome == "ok" else f"{record.outcome}: "
        place = f"[{self._done}/{self._total}]"
        self._progress.say(f"{place} {record.cell.id}  {outcome}{said}  {record.seconds:.0f} s")


def _status(journal: Journal) -> int:
    """Return 3 where a cell was not measured; an invalid window is flagged and no such fault."""
    outcomes = Counter(record.outcome for record in journal.records)
    measured = outcomes["ok"] + outcomes["invalid"]
    unmeasured = sum(outcomes.values()) - measured - outcomes["refused"]
    return COULD_NOT_MEASURE if unmeasured or not measured else 0
