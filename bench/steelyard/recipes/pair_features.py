"""Train a judge of pairs on each fold: similarity features, then boosted trees or a linear model.

The features are those of the session (`backends/ort/pair_features.py`), so that training and
answering cannot drift apart. Which judge is taken is decided by cross-validation on train items.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from steelyard.api import BuildReport, BuildRequest, Item, TrainingSet
from steelyard.errors import PrepareError
from steelyard.recipes import options, pair_export, sampling

KNOWN = ("judges", "seed")
JUDGES = ("logistic:0.1", "logistic:1", "trees:100", "trees:300")
CV_PARTS = 5
FEWEST_FOR_CV = 30
# Small steps on random parts of the items (Friedman, Stochastic Gradient Boosting, 2002).
STEP, DEPTH, PART = 0.05, 4, 0.7


class Settings(Struct, frozen=True, kw_only=True):
    """The card's options, read and checked: `kind:size` of each judge, the seed of the trees."""

    judges: tuple[str, ...]
    seed: int


class PairFeatures:
    """Writes `pair.json` (labels, rarity of words) and `pair.onnx` for each fold."""

    version = 1
    trains = True
    tools: tuple[str, ...] = ("numpy", "onnx", "onnxruntime", "scikit-learn", "skl2onnx")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, task or option is wrong, or return None."""
        return (
            options.missing(("sklearn", "skl2onnx", "onnx", "onnxruntime"))
            or options.without_task(request, "pair-features")
            or options.unknown(request.options, KNOWN)
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Train and write one folder a fold."""
        training = options.training(request, "pair-features")
        settings = _settings(request)
        sizes, parameters, notes = [], [], []
        for fold in range(training.folds):
            items = _checked(training, fold)
            folder = out / f"fold-{fold}"
            folder.mkdir()
            size, note = _fold(items, settings, folder)
            sizes.append(len(items))
            parameters.append(size)
            notes.append(f"fold {fold}: {note}")
        return BuildReport(
            parameters=max(parameters), labelled_items=max(sizes), notes=tuple(notes)
        )


def _settings(request: BuildRequest) -> Settings:
    settings = Settings(
        judges=tuple(options.read(request.options, "judges", list(JUDGES))),
        seed=options.read(request.options, "seed", 0),
    )
    for judge in settings.judges:
        _judge(judge, settings.seed)
    if not settings.judges:
        raise PrepareError("options.judges: none given; write ['trees:300']")
    return settings


def _checked(training: TrainingSet, fold: int) -> tuple[Item, ...]:
    items = training.train_items(fold)
    given, wanted = {item.label for item in items}, {label.id for label in training.labels}
    if given != wanted:
        raise PrepareError(
            f"task {training.task}, fold {fold}: train items have the labels "
            f"{', '.join(sorted(given)) or 'none'}, the task {', '.join(sorted(wanted))}; "
            "check the card's split"
        )
    return items


def _fold(items: Sequence[Item], settings: Settings, folder: Path) -> tuple[int, str]:
    from steelyard.backends.ort.pair_features import Rarity, features

    rarity = Rarity(words=_rarity(items), unseen=_unseen(items))
    rows = [features(item.text, rarity) for item in items]
    judge, note = _choose(items, rows, settings)
    model = _fit(judge, settings.seed, rows, [item.label for item in items])
    size = pair_export.write(folder, model, rarity)
    return size, f"{note}, {len(items)} train items"


def _rarity(items: Sequence[Item]) -> dict[str, float]:
    """Return each word's inverse document frequency over the distinct titles, smoothed by one."""
    from steelyard.backends.ort.pair_features import words

    titles = _titles(items)
    counts = Counter(word for title in titles for word in set(words(title)))
    return {
        word: round(math.log((1 + len(titles)) / (1 + counts[word])) + 1, 6)
        for word in sorted(counts)
    }


def _unseen(items: Sequence[Item]) -> float:
    return round(math.log(1 + len(_titles(items))) + 1, 6)


def _titles(items: Sequence[Item]) -> set[str]:
    from steelyard.backends.ort.pair_features import halves

    return {half for item in items for half in halves(item.text)}


def _choose(items: Sequence[Item], rows: Sequence[Any], settings: Settings) -> tuple[str, str]:
    """Choose the judge with the most right answers in cross-validation; the first of equals."""
    if len(settings.judges) == 1 or len(items) < FEWEST_FOR_CV:
        return settings.judges[0], f"{settings.judges[0]}, not chosen by cross-validation"
    tried = [(_accuracy(items, rows, judge, settings.seed), judge) for judge in settings.judges]
    accuracy, judge = max(tried, key=lambda entry: entry[0])
    return judge, f"{judge}; {CV_PARTS}-fold accuracy {accuracy:.4f}"


def _accuracy(items: Sequence[Item], rows: Sequence[Any], judge: str, seed: int) -> float:
    """Return the share of right answers; pairs with the same first title stay in one part."""
    from steelyard.backends.ort.pair_features import halves

    grouped = [structs.replace(item, group=item.group or halves(item.text)[0]) for item in items]
    parts = sampling.deal(grouped, CV_PARTS, seed)
    right = 0
    for held_out in range(CV_PARTS):
        train = [row for row, part in enumerate(parts) if part != held_out]
        test = [row for row, part in enumerate(parts) if part == held_out]
        labels = [items[row].label for row in train]
        if not test or len(set(labels)) < 2:
            continue
        model = _fit(judge, seed, [rows[row] for row in train], labels)
        said = model.predict([rows[row] for row in test])
        right += sum(items[row].label == label for row, label in zip(test, said, strict=True))
    return right / len(items)


def _fit(judge: str, seed: int, rows: Sequence[Any], labels: Sequence[str]) -> Any:
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # More BLAS threads change the sums, and so the bytes.
    with threadpool_limits(1):
        return _judge(judge, seed).fit(rows, labels)


def _judge(judge: str, seed: int) -> Any:
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    kind, _, size = judge.partition(":")
    try:
        if kind == "logistic":
            cost = float(size)
            return make_pipeline(StandardScaler(), LogisticRegression(C=cost, max_iter=2000))
        if kind == "trees":
            return GradientBoostingClassifier(
                n_estimators=int(size),
                learning_rate=STEP,
                max_depth=DEPTH,
                subsample=PART,
                random_state=seed,
            )
    except ValueError:
        pass
    raise PrepareError(f"options.judges: {judge!r}; write 'logistic:COST' or 'trees:NUMBER'")
