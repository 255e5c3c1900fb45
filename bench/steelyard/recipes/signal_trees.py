"""Train an ensemble of trees on features of signals, for each fold, and write it as ONNX.

The features are those of the session, which computes them in numpy. Which ensemble is chosen by
cross-validation on the train items: groups (a recording, a person) stay together.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from steelyard.api import BuildReport, BuildRequest, TrainingSet
from steelyard.errors import PrepareError
from steelyard.recipes import options, tree_graph
from steelyard.recipes.signal_data import (
    CV_PARTS,
    Fold,
    arrays_of,
    fold_of,
    parts_of,
    without_arrays,
)

KNOWN = ("ensembles", "rounds", "seed", "trees")
ENSEMBLES = ("forest", "extra-trees", "boosting")
TOLERANCE = 1e-4


class Settings(Struct, frozen=True, kw_only=True):
    """The card's options. The first of `ensembles` is the default; boosting goes in `rounds`."""

    ensembles: tuple[str, ...]
    trees: int
    rounds: int
    seed: int


class SignalTrees:
    """Writes `trees.onnx` and `signal.json` for each fold."""

    version = 1
    trains = True
    tools: tuple[str, ...] = ("numpy", "onnx", "scikit-learn")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, task or option is wrong, or return None."""
        return (
            options.missing(("sklearn", "onnx", "onnxruntime"))
            or options.without_task(request, "signal-trees")
            or without_arrays(request, "signal-trees")
            or options.unknown(request.options, KNOWN)
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Compute the features once, then train and write one folder a fold."""
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        from steelyard.backends.ort.signal_features import features

        training = options.training(request, "signal-trees")
        settings = _settings(request)
        values = {name: features(array) for name, array in arrays_of(request, training).items()}
        folds = [fold_of(training, number, values) for number in range(training.folds)]
        notes, sizes = [], []
        # One thread: sums do not depend on the machine, and idle threads do not spin.
        with threadpool_limits(1):
            for number, fold in enumerate(folds):
                size, note = _fold(fold, training, settings, out / f"fold-{number}")
                sizes.append(size)
                notes.append(f"fold {number}: {note}, {len(fold.items)} train items")
        labelled = max(len(fold.items) for fold in folds)
        return BuildReport(parameters=max(sizes), labelled_items=labelled, notes=tuple(notes))


def _settings(request: BuildRequest) -> Settings:
    settings = Settings(
        ensembles=tuple(options.read(request.options, "ensembles", list(ENSEMBLES))),
        trees=options.read(request.options, "trees", 100),
        rounds=options.read(request.options, "rounds", 50),
        seed=options.read(request.options, "seed", 0),
    )
    odd = sorted(set(settings.ensembles) - set(ENSEMBLES))
    if odd or not settings.ensembles:
        raise PrepareError(f"options.ensembles: {odd} are none of {', '.join(ENSEMBLES)}")
    return settings


def _fold(fold: Fold, training: TrainingSet, settings: Settings, folder: Path) -> tuple[int, str]:
    """Train and write one fold; return how many nodes its trees have, and what was chosen."""
    name, note = choose(fold, settings)
    model = _fitted(name, fold, range(len(fold.items)), settings)
    folder.mkdir()
    labels = [training.labels[int(number)].id for number in model.classes_]
    (folder / "signal.json").write_bytes(_facts(labels, len(fold.values[0])))
    return write(name, model, fold.values, folder / "trees.onnx"), note


def choose(fold: Fold, settings: Settings) -> tuple[str, str]:
    """Return the ensemble that cross-validation gets most items right with, and a note of it."""
    parts = parts_of(fold, settings.seed)
    if parts is None or len(settings.ensembles) == 1:
        return settings.ensembles[0], f"{settings.ensembles[0]}, not chosen by cross-validation"
    right = {name: _right(name, fold, parts, settings) for name in settings.ensembles}
    best = max(settings.ensembles, key=lambda name: right[name])
    shares = ", ".join(f"{name} {right[name] / len(parts):.4f}" for name in settings.ensembles)
    return best, f"{best}; {CV_PARTS}-fold accuracy {shares}"


def _right(name: str, fold: Fold, parts: Sequence[int], settings: Settings) -> int:
    count = 0
    for held_out in range(CV_PARTS):
        train = [row for row, part in enumerate(parts) if part != held_out]
        test = [row for row, part in enumerate(parts) if part == held_out]
        said = _fitted(name, fold, train, settings).predict([fold.values[row] for row in test])
        count += sum(int(label) == fold.targets[row] for row, label in zip(test, said, strict=True))
    return count


def _fitted(name: str, fold: Fold, rows: Sequence[int], settings: Settings) -> Any:
    import numpy as np

    values = np.stack([fold.values[row] for row in rows])
    return _ensemble(name, settings).fit(values, [fold.targets[row] for row in rows])


def _ensemble(name: str, settings: Settings) -> Any:
    from sklearn.ensemble import (
        ExtraTreesClassifier,
        HistGradientBoostingClassifier,
        RandomForestClassifier,
    )

    if name == "boosting":
        how: dict[str, Any] = {
            "max_iter": settings.rounds,
            "max_leaf_nodes": 8,
            "max_bins": 63,
            "early_stopping": False,
        }
        return HistGradientBoostingClassifier(random_state=settings.seed, **how)
    kind: Any = RandomForestClassifier if name == "forest" else ExtraTreesClassifier
    return kind(settings.trees, max_features=0.2, random_state=settings.seed)


def _facts(labels: Sequence[str], size: int) -> bytes:
    from steelyard.backends.ort.signal_features import VERSION

    facts = {"labels": list(labels), "features": size, "version": VERSION}
    return msgspec.json.encode(facts, order="sorted")


def write(name: str, model: Any, values: Sequence[Any], target: Path) -> int:
    """Write the ONNX file and return how many nodes its trees have.

    Raises PrepareError where it says other than scikit-learn.
    """
    import numpy as np
    import onnxruntime as ort

    ensemble = tree_graph.of_boosting(model) if name == "boosting" else tree_graph.of_forest(model)
    given = np.stack(values)
    target.write_bytes(tree_graph.graph(ensemble, given.shape[1]))
    session = ort.InferenceSession(os.fspath(target), providers=["CPUExecutionProvider"])
    got = session.run([tree_graph.OUTPUT], {tree_graph.INPUT: given})[0]
    difference = float(np.abs(got - model.predict_proba(given)).max())
    if difference > TOLERANCE:
        raise PrepareError(f"the ONNX trees differ by {difference:.1e}; not used")
    return ensemble.nodes
