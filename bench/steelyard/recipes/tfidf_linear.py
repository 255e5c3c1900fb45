"""Train TF-IDF + linear SVM on each fold and write it as n-gram tables and an ONNX layer.

The export is exact: see `tfidf_export`. Features and cost are chosen among a small fixed grid by
cross-validation on the train split; the choice is noted in the report.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from steelyard.api import BuildReport, BuildRequest, Item, TrainingSet
from steelyard.errors import PrepareError
from steelyard.recipes import options, sampling, tfidf_export
from steelyard.recipes.tfidf_features import Counted, Weighted, count, parse_features, weight

KNOWN = (
    "class_weight",
    "cost",
    "cv_items",
    "features",
    "max_features",
    "min_df",
    "seed",
    "sublinear",
)
FEATURES = ("word:1-1", "word:1-2", "char:1-4", "word:1-2+char:1-4")
CV_PARTS = 3
FEWEST_FOR_CV = 30


class Settings(Struct, frozen=True, kw_only=True):
    """The card's options, read and checked. The first of `features` and `cost` is the default."""

    features: tuple[str, ...]
    cost: tuple[float, ...]
    min_df: int
    max_features: int
    sublinear: bool
    class_weight: str
    cv_items: int
    seed: int


class Choice(Struct, frozen=True, kw_only=True):
    """What the grid gave: a mark an item, none where there was nothing to choose."""

    features: str
    cost: float
    marks: tuple[bool, ...] = ()

    @property
    def accuracy(self) -> float:
        """Return the share of right answers in cross-validation."""
        return sum(self.marks) / len(self.marks)


class TfidfLinear:
    """Writes n-gram tables, idf weights and `linear.onnx` for each fold."""

    version = 1
    trains = True
    tools: tuple[str, ...] = ("scikit-learn", "onnx", "numpy")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, task or option is wrong, or return None."""
        return (
            options.missing(("sklearn", "onnx"))
            or options.without_task(request, "tfidf-linear")
            or options.unknown(request.options, KNOWN)
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Train and write one folder a fold."""
        training = options.training(request, "tfidf-linear")
        settings = _settings(request)
        sizes, parameters, notes = [], [], []
        for fold in range(training.folds):
            items = _checked(training, fold)
            choice, size = _fold(items, training, settings, out / f"fold-{fold}")
            sizes.append(len(items))
            parameters.append(size)
            notes.append(_note(fold, choice, len(items)))
        return BuildReport(
            parameters=max(parameters), labelled_items=max(sizes), notes=tuple(notes)
        )


def _settings(request: BuildRequest) -> Settings:
    read = request.options
    settings = Settings(
        features=tuple(options.read(read, "features", list(FEATURES))),
        cost=tuple(float(value) for value in options.read(read, "cost", ["1", "4", "0.25"])),
        min_df=options.read(read, "min_df", 1),
        max_features=options.read(read, "max_features", 100_000),
        sublinear=options.read(read, "sublinear", default=True),
        class_weight=options.read(read, "class_weight", "none"),
        cv_items=options.read(read, "cv_items", 2000),
        seed=options.read(read, "seed", 0),
    )
    for features in settings.features:
        parse_features(features)
    if settings.class_weight not in ("none", "balanced"):
        raise PrepareError(
            f"options.class_weight: {settings.class_weight!r} is neither 'none' nor 'balanced'"
        )
    return settings


def _checked(training: TrainingSet, fold: int) -> tuple[Item, ...]:
    items = training.train_items(fold)
    if len({item.label for item in items}) < 2:
        raise PrepareError(
            f"task {training.task}, fold {fold}: {len(items)} train items with fewer than two "
            "labels; check the card's split"
        )
    return items


def _fold(
    items: Sequence[Item], training: TrainingSet, settings: Settings, folder: Path
) -> tuple[Choice, int]:
    choice = choose(items, settings)
    texts, labels = [item.text for item in items], [item.label for item in items]
    parts = [count(texts, family) for family in parse_features(choice.features)]
    weighted, matrix = _weigh(parts, None, settings)
    model = _svm(choice.cost, settings).fit(matrix, labels)
    folder.mkdir()
    ids = [label.id for label in training.labels]
    return choice, tfidf_export.write(folder, weighted, model, ids, sublinear=settings.sublinear)


def choose(items: Sequence[Item], settings: Settings) -> Choice:
    """Choose the features at the default cost, then the cost for these features.

    Features are listed from cheap to dear, and the first that is not behind the best by more than
    one standard error of their paired difference is taken (after Breiman et al., CART, 1984): a
    tie goes to the smaller artefact.
    """
    default = Choice(features=settings.features[0], cost=settings.cost[0])
    grid_size = len(settings.features) * len(settings.cost)
    sample = sampling.stratified(items, settings.cv_items, settings.seed)
    if grid_size == 1 or len(sample) < FEWEST_FOR_CV:
        return default
    trial = _Trial(sample, settings)
    tried = [trial.run(name, default.cost) for name in settings.features]
    best = max(tried, key=lambda choice: choice.accuracy)
    cheapest = next(choice for choice in tried if _ties(choice, best))
    others = [trial.run(cheapest.features, cost) for cost in settings.cost[1:]]
    return max([cheapest, *others], key=lambda choice: choice.accuracy)


def _ties(choice: Choice, best: Choice) -> bool:
    """Say whether `choice` is within one standard error of `best` on the same items."""
    pairs = list(zip(best.marks, choice.marks, strict=True))
    ahead, behind = pairs.count((True, False)), pairs.count((False, True))
    variance = ahead + behind - (ahead - behind) ** 2 / len(pairs)
    return ahead - behind <= math.sqrt(variance)


class _Trial:
    """Cross-validation on one sample; each family of n-grams is counted once."""

    def __init__(self, sample: Sequence[Item], settings: Settings) -> None:
        self._texts = [item.text for item in sample]
        self._labels = [item.label for item in sample]
        self._part = sampling.deal(sample, CV_PARTS, settings.seed)
        self._settings = settings
        self._counted: dict[str, Counted] = {}

    def run(self, features: str, cost: float) -> Choice:
        """Return the choice with its cross-validated marks."""
        parts = [self._count(name) for name in features.split("+")]
        marks = [False] * len(self._labels)
        for held_out in range(CV_PARTS):
            for row in self._right(parts, held_out, cost):
                marks[row] = True
        return Choice(features=features, cost=cost, marks=tuple(marks))

    def _count(self, name: str) -> Counted:
        if name not in self._counted:
            self._counted[name] = count(self._texts, parse_features(name)[0])
        return self._counted[name]

    def _right(self, parts: list[Counted], held_out: int, cost: float) -> list[int]:
        train = [row for row, part in enumerate(self._part) if part != held_out]
        test = [row for row, part in enumerate(self._part) if part == held_out]
        labels = [self._labels[row] for row in train]
        if len(set(labels)) < 2:
            return []
        _, matrix = _weigh(parts, train, self._settings)
        model = _svm(cost, self._settings).fit(matrix[train], labels)
        said = model.predict(matrix[test])
        return [row for row, label in zip(test, said, strict=True) if self._labels[row] == label]


def _weigh(
    parts: list[Counted], train: list[int] | None, settings: Settings
) -> tuple[list[Weighted], Any]:
    from scipy.sparse import hstack

    weighted = [
        weight(
            part,
            train,
            min_df=settings.min_df,
            max_features=settings.max_features,
            sublinear=settings.sublinear,
        )
        for part in parts
    ]
    return weighted, hstack([part.matrix for part in weighted], format="csr")


def _svm(cost: float, settings: Settings) -> Any:
    from sklearn.svm import LinearSVC

    balanced = "balanced" if settings.class_weight == "balanced" else None
    return LinearSVC(C=cost, class_weight=balanced, random_state=settings.seed)


def _note(fold: int, choice: Choice, train: int) -> str:
    chosen = f"fold {fold}: {choice.features}, C {choice.cost:g}"
    if not choice.marks:
        return f"{chosen}, not chosen by cross-validation"
    return (
        f"{chosen}; {CV_PARTS}-fold accuracy {choice.accuracy:.4f} "
        f"on {len(choice.marks)} of {train} train items"
    )
