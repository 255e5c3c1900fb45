"""Train a support vector machine on histograms of oriented gradients, a fold at a time.

Features are projected on their principal components of the train items, and a Gaussian kernel
compares a picture with the support vectors. Grid and cost are chosen by cross-validation.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from steelyard.api import BuildReport, BuildRequest, Item, TrainingSet
from steelyard.errors import PrepareError
from steelyard.recipes import hog_export, hog_kernel, options, sampling

KNOWN = ("cells", "components", "cost", "cv_items", "max_train", "orientations", "seed", "side")
CV_PARTS = 3
FEWEST_FOR_CV = 30
FEWEST_PIXELS = 3  # a cell has this many a side: fewer hold no histogram worth its features


class Settings(Struct, frozen=True, kw_only=True):
    """The card's options, read. `cells` and `cost` are tried, the first is the default."""

    cells: tuple[int, ...]
    cost: tuple[float, ...]
    side: int
    orientations: int
    components: int
    cv_items: int
    max_train: int
    seed: int


class Choice(Struct, frozen=True, kw_only=True):
    """What cross-validation gave; without `accuracy` there was nothing to choose by."""

    cells: int
    cost: float
    accuracy: float | None = None
    items: int = 0


class HogSvm:
    """Writes `hog.json` and `hog.onnx` for each fold."""

    version = 1
    trains = True
    tools: tuple[str, ...] = ("numpy", "onnx", "scikit-learn")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, task or option is wrong, or return None."""
        return (
            options.missing(("sklearn", "onnx"))
            or options.without_task(request, "hog-svm")
            or options.unknown(request.options, KNOWN)
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Train and write one folder a fold."""
        training = options.training(request, "hog-svm")
        settings = _settings(request)
        shown = _Shown(request, settings)
        settings = shown.fitted(training.items[0])
        size, sizes, notes = 0, [], []
        for fold in range(training.folds):
            items = _train_items(training, fold, settings)
            choice = choose(items, shown, settings)
            trained = _fit(items, shown.of(items, choice.cells), choice.cost, training, settings)
            folder = out / f"fold-{fold}"
            folder.mkdir()
            hog_export.write(folder, trained, shown.grid(choice.cells))
            size = trained.parameters
            sizes.append(len(items))
            notes.append(f"fold {fold}: {_note(choice)}, {len(trained.vectors)} support vectors")
        return BuildReport(parameters=size, labelled_items=max(sizes), notes=tuple(notes))


class _Shown:
    """The features of items, computed once for each grid."""

    def __init__(self, request: BuildRequest, settings: Settings) -> None:
        from steelyard.arrays import Arrays

        if request.arrays is None:
            raise PrepareError("the task has no pictures: this recipe serves modality 'image'")
        self._rows, self._settings = Arrays(request.arrays), settings
        self._kept: dict[tuple[str, int], Any] = {}

    def fitted(self, item: Item) -> Settings:
        """Return the settings without grids too fine for the pictures, the first of all failing."""
        if item.array is None:
            raise PrepareError(f"item {item.id} has no picture")
        side = min(self._rows[item.array.row].shape)
        side //= max(1, side // self._settings.side)
        coarse = [cells for cells in self._settings.cells if side >= cells * FEWEST_PIXELS]
        kept = tuple(coarse or self._settings.cells[:1])
        return structs.replace(self._settings, cells=kept)

    def grid(self, cells: int) -> Any:
        """Return the grid with so many cells."""
        from steelyard.backends.ort.hog_features import Grid

        how = self._settings
        return Grid(cells=cells, side=how.side, orientations=how.orientations)

    def of(self, items: Sequence[Item], cells: int) -> Any:
        """Return the features of items, a row each."""
        import numpy as np

        from steelyard.backends.ort.hog_features import features

        grid = self.grid(cells)
        for item in items:
            if item.array and (item.id, cells) not in self._kept:
                self._kept[item.id, cells] = features(self._rows[item.array.row], grid)
        return np.stack([self._kept[item.id, cells] for item in items])


def choose(items: Sequence[Item], shown: _Shown, settings: Settings) -> Choice:
    """Choose grid and cost by cross-validation; of equals the one that is listed first."""
    default = Choice(cells=settings.cells[0], cost=settings.cost[0])
    sample = sampling.stratified(items, settings.cv_items, settings.seed)
    if len(settings.cells) * len(settings.cost) == 1 or len(sample) < FEWEST_FOR_CV:
        return default
    tried = [
        choice
        for cells in settings.cells
        for choice in _tried(sample, shown.of(sample, cells), cells, settings)
    ]
    return max(tried, key=lambda choice: choice.accuracy or 0.0)


def _tried(sample: list[Item], rows: Any, cells: int, settings: Settings) -> list[Choice]:
    """Return the accuracy of every cost with one grid; each part is projected once."""
    import numpy as np

    labels = np.array([item.label for item in sample])
    parts = np.array(sampling.deal(sample, CV_PARTS, settings.seed))
    hits = dict.fromkeys(settings.cost, 0)
    for held_out in range(CV_PARTS):
        train, test = parts != held_out, parts == held_out
        if len(set(labels[train])) < 2:
            continue
        projection = hog_kernel.project(rows[train], settings.components)
        inside, outside = projection.points(rows[train]), projection.points(rows[test])
        for cost in settings.cost:
            said = hog_kernel.machine(cost, projection.gamma).fit(inside, labels[train])
            hits[cost] += int((said.predict(outside) == labels[test]).sum())
    return [
        Choice(cells=cells, cost=cost, accuracy=hit / len(sample), items=len(sample))
        for cost, hit in hits.items()
    ]


def _fit(
    items: Sequence[Item], rows: Any, cost: float, training: TrainingSet, settings: Settings
) -> hog_kernel.Trained:
    labels = [label.id for label in training.labels]
    return hog_kernel.train(rows, [item.label for item in items], labels, cost, settings.components)


def _train_items(training: TrainingSet, fold: int, settings: Settings) -> list[Item]:
    items = sampling.stratified(training.train_items(fold), settings.max_train, settings.seed)
    if len({item.label for item in items}) < 2:
        raise PrepareError(
            f"task {training.task}, fold {fold}: {len(items)} train items with fewer than two "
            "labels; check the card's split"
        )
    return items


def _settings(request: BuildRequest) -> Settings:
    read = request.options
    return Settings(
        cells=tuple(int(value) for value in options.read(read, "cells", ["7", "15"])),
        cost=tuple(float(value) for value in options.read(read, "cost", ["3", "1", "10"])),
        side=options.read(read, "side", 150),
        orientations=options.read(read, "orientations", 9),
        components=options.read(read, "components", 128),
        cv_items=options.read(read, "cv_items", 2000),
        max_train=options.read(read, "max_train", 5000),
        seed=options.read(read, "seed", 0),
    )


def _note(choice: Choice) -> str:
    chosen = f"{choice.cells} cells a side, C {choice.cost:g}"
    if choice.accuracy is None:
        return f"{chosen}, not chosen by cross-validation"
    return f"{chosen}; {CV_PARTS}-fold accuracy {choice.accuracy:.4f} on {choice.items}"
