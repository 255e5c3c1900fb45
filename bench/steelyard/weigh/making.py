"""From a person's file to a task on disk: read, check, divide, write."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from steelyard.progress import Progress
from steelyard.weigh import division, hints, intake, sources, suite, task
from steelyard.weigh.division import Division
from steelyard.weigh.intake import Intake, Rules
from steelyard.weigh.rows import Columns
from steelyard.weigh.sources import Source
from steelyard.weigh.suite import Models
from steelyard.weigh.task import Written


class Wish(Struct, frozen=True, kw_only=True):
    """What a person asked for. `asked` is how many test items a generalist gets."""

    source: Source
    columns: Columns
    name: str
    folder: Path
    paraphrases: tuple[str, ...]
    rules: Rules = Rules()
    asked: int = 100


class Made(Struct, frozen=True, kw_only=True):
    """A task on disk, and how it came to be."""

    written: Written
    division: Division


def make(wish: Wish, models: Models, progress: Progress) -> Made:
    """Read and write everything before anything slow; raise a SteelyardError of one line."""
    name = wish.source.name
    rows = sources.rows(wish.source, wish.columns, progress)
    taken = intake.take(rows, name, wish.rules)
    for line in hints.of_intake(taken):
        progress.say(f"{name}: {line}")
    divided = division.divide(taken.rows, wish.rules.seed, name)
    progress.say(f"{name}: {summary(taken, divided)}")
    for line in hints.of_division(divided):
        progress.say(f"{name}: {line}")
    text = suite.suite_text(wish.name, models, divided.tested, wish.asked)
    written = task.write(wish.folder, wish.name, divided, wish.paraphrases, text)
    return Made(written=written, division=divided)


def summary(taken: Intake, divided: Division) -> str:
    """Say how many rows are learned from and tested on."""
    rows, labels = len(divided.items), len(taken.labels)
    if divided.split.kind == "folds":
        tested = f"each tested once, in {divided.split.folds} folds"
    else:
        tested = f"{rows - divided.tested} to train on and {divided.tested} to test on"
    return f"{rows} of {taken.read} rows, {labels} labels: {tested} ({task.HOW[divided.how]})"
