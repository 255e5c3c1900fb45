"""The histories and the hours after them that a recipe learns from, and the artefact it writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from steelyard.api import BuildReport, BuildRequest, Item, TrainingSet
from steelyard.arrays import Arrays
from steelyard.backends.ort.series_rows import (
    FACTS,
    GRAPH,
    Facts,
    Form,
    forecast_of,
    level_of,
    rows_of,
)
from steelyard.errors import PrepareError
from steelyard.notation import parse_numbers
from steelyard.recipes import options

OPSET = 17
IR_VERSION = 9  # of the time of opset 17 to 19; runtimes refuse a newer one than they know
CV_PARTS = 3


class Windows(Struct, frozen=True, kw_only=True):
    """Histories [n, hours] and what followed them [n, hours], float32, in the order of time."""

    history: Any
    after: Any

    def only(self, places: Any) -> Windows:
        """Return some of the windows, by their places (numpy integers)."""
        return Windows(history=self.history[places], after=self.after[places])


class Made(Struct, frozen=True, kw_only=True):
    """What a fold's model has of parameters, and how it was chosen."""

    parameters: int
    note: str


def build_folds(request: BuildRequest, training: TrainingSet, out: Path, fold: Fold) -> BuildReport:
    """Make every fold's model in a folder of its own."""
    made: list[Made] = []
    labelled = 0
    for number in range(training.folds):
        found = windows(request, training, number)
        made.append(fold(request, found, out / f"fold-{number}"))
        labelled = max(labelled, len(found.history))
    return BuildReport(
        parameters=made[0].parameters,
        labelled_items=labelled,
        notes=tuple(f"fold {number}: {one.note}" for number, one in enumerate(made)),
    )


def windows(request: BuildRequest, training: TrainingSet, fold: int) -> Windows:
    """Return the train windows of a fold; raise PrepareError where there are none, or mixed ones.

    Their ids are taken to sort as their times do.
    """
    import numpy as np

    if request.arrays is None:
        raise PrepareError(f"task {training.task} has no arrays: it is no task of series")
    arrays = Arrays(request.arrays)
    items = sorted(training.train_items(fold), key=lambda item: item.id)
    if not items:
        raise PrepareError(f"task {training.task}, fold {fold}: no train items")
    histories = [arrays[_row(item)] for item in items]
    after = [parse_numbers(item.label) for item in items]
    if len({h.shape for h in histories}) != 1 or len({len(hours) for hours in after}) != 1:
        raise PrepareError(f"task {training.task}: its histories or forecasts differ in length")
    return Windows(history=np.stack(histories), after=np.array(after, dtype=np.float32))


def facts_of(found: Windows, form: Form, season: int) -> Facts:
    """Return the facts of a model of these windows; raise PrepareError for too long a season."""
    history, horizon = found.history.shape[1], found.after.shape[1]
    if not 1 <= season <= history:
        raise PrepareError(f"options.season: {season}, expected 1 to {history} hours")
    return Facts(form=form, history=history, horizon=horizon, season=season)


def write(folder: Path, facts: Facts, graph: bytes) -> None:
    """Write an artefact into a new folder."""
    folder.mkdir()
    (folder / FACTS).write_bytes(msgspec.json.encode(facts))
    (folder / GRAPH).write_bytes(graph)


def choose(found: Windows, tried: Sequence[str], gap: int, error: Error) -> tuple[str, str]:
    """Return which of `tried` errs least, and a note, by cross-validation over blocks of time.

    `gap` windows on each side of a held-out block are left out, since windows overlap: else what
    is held out would be trained on.
    """
    import numpy as np

    if len(tried) == 1:
        return tried[0], f"{tried[0]}, the only one given"
    places = np.arange(len(found.history))
    blocks = np.array_split(places, CV_PARTS)
    sums = dict.fromkeys(tried, 0.0)
    for block in blocks:
        kept = places[(places < block[0] - gap) | (places > block[-1] + gap)]
        if not len(kept):
            raise PrepareError(f"options.gap: {gap} leaves nothing to train on beside a block")
        for one in tried:
            sums[one] += error(found.only(kept), found.only(block), one)
    best = min(tried, key=sums.__getitem__)
    shown = ", ".join(f"{one}: {total / len(blocks):.2f}" for one, total in sums.items())
    return best, f"{best} of ({shown}), mean absolute error in {CV_PARTS} blocks of time"


# Makes the model of one fold's train windows in a new folder.
Fold = Callable[[BuildRequest, Windows, Path], Made]
# From windows to train on, windows to forecast and an option to the mean absolute error.
Error = Callable[[Windows, Windows, str], float]


def inputs(found: Windows, facts: Facts) -> Any:
    """Return the rows of all windows, float32 [windows * rows, columns]."""
    import numpy as np

    return np.concatenate([rows_of(history, facts) for history in found.history])


def levels(found: Windows, facts: Facts) -> Any:
    """Return the level of each window, float64 [windows, 1]."""
    import numpy as np

    return np.array([[level_of(history, facts.season)] for history in found.history])


def mean_error(output: Any, found: Windows, facts: Facts) -> float:
    """Return the mean absolute error of a model's output on all of the windows' inputs."""
    import numpy as np

    outputs = np.asarray(output, dtype=np.float32).reshape(found.after.shape)
    pairs = zip(outputs, found.history, strict=True)
    made = np.stack([forecast_of(row, history, facts) for row, history in pairs])
    return float(np.abs(made - found.after).mean(dtype=np.float64))


def one_thread() -> Any:
    """Return a context in which sums are made in one order, so that the same bytes come out.

    More threads than free cores would also wait for each other.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return threadpool_limits(1)


def without(request: BuildRequest, recipe: str, known: Sequence[str]) -> str | None:
    """Say what a recipe of series lacks, or return None."""
    return (
        options.missing(("onnx", "sklearn"))
        or options.without_task(request, recipe)
        or options.unknown(request.options, known)
    )


def _row(item: Item) -> int:
    if item.array is None:
        raise PrepareError(f"item {item.id} has no array")
    return item.array.row
