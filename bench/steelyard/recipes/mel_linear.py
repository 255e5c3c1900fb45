"""Train a logistic regression on statistics of a clip's log-mel spectrogram."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

from msgspec import Struct

from steelyard.api import BuildReport, BuildRequest, Item
from steelyard.errors import PrepareError
from steelyard.recipes import options, sampling, sound_export
from steelyard.recipes.heads import columns

KNOWN = ("cost", "seed", "segments")
CV_PARTS = 3
TINY = 1e-6


class Choice(Struct, frozen=True, kw_only=True):
    """A setting that was tried, and its share of train items right, each by the other parts."""

    segments: int
    cost: float
    accuracy: float


class MelLinear:
    """Writes a linear graph a fold; `segments` and `cost` are chosen by cross-validation."""

    version = 1
    trains = True
    tools: tuple[str, ...] = ("numpy", "onnx", "scikit-learn")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, task or option is wrong, or return None."""
        return (
            options.missing(("sklearn", "onnx"))
            or options.without_task(request, "mel-linear")
            or options.unknown(request.options, KNOWN)
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Make the features of all items once for each way to cut, then train a fold each."""
        training = options.training(request, "mel-linear")
        labels = [label.id for label in training.labels]
        cuts = [int(n) for n in options.read(request.options, "segments", ["1"])]
        shown = {n: sound_export.features(request, training, "statistics", n) for n in cuts}
        notes, size = [], 0
        for fold in range(training.folds):
            items = training.train_items(fold)
            choice = _choose(items, shown, request)
            folder = out / f"fold-{fold}"
            folder.mkdir()
            facts = {"labels": labels, "features": "statistics", "segments": choice.segments}
            layer = _layer(_fit(items, shown[choice.segments], choice.cost), labels)
            sound_export.write_linear(folder, *layer, facts)
            size = layer[0].size + layer[1].size
            notes.append(f"fold {fold}: {_said(choice)}, {len(items)} train items")
        most = max(len(training.train_items(fold)) for fold in range(training.folds))
        return BuildReport(parameters=int(size), labelled_items=most, notes=tuple(notes))


def _said(choice: Choice) -> str:
    return (
        f"{choice.segments} segments, C {choice.cost:g}; {CV_PARTS}-fold accuracy "
        f"{choice.accuracy:.4f}"
    )


def _choose(
    items: Sequence[Item], shown: dict[int, dict[str, Any]], request: BuildRequest
) -> Choice:
    """Try each way to cut and each cost by cross-validation; a tie goes to the earlier one."""
    costs = [float(cost) for cost in options.read(request.options, "cost", ["1"])]
    parts = sampling.deal(items, CV_PARTS, options.read(request.options, "seed", 0))
    tried = [
        Choice(segments=n, cost=cost, accuracy=_accuracy(items, parts, shown[n], cost))
        for n, cost in product(shown, costs)
    ]
    return max(tried, key=lambda choice: choice.accuracy)


def _accuracy(
    items: Sequence[Item], parts: Sequence[int], features: dict[str, Any], cost: float
) -> float:
    right = 0
    for held_out in range(CV_PARTS):
        train = [item for item, part in zip(items, parts, strict=True) if part != held_out]
        test = [item for item, part in zip(items, parts, strict=True) if part == held_out]
        if test and len({item.label for item in train}) > 1:
            said = _fit(train, features, cost).predict([features[item.id] for item in test])
            right += sum(item.label == label for item, label in zip(test, said, strict=True))
    return right / len(items)


def _fit(items: Sequence[Item], features: dict[str, Any], cost: float) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    if len({item.label for item in items}) < 2:
        raise PrepareError("the train items have one label only; check the card's split")
    model = make_pipeline(StandardScaler(), LogisticRegression(C=cost, max_iter=2000))
    with threadpool_limits(1):  # more threads change the sums, and so the bytes
        return model.fit([features[item.id] for item in items], [item.label for item in items])


def _layer(fitted: Any, labels: list[str]) -> tuple[Any, Any]:
    """Return coefficients [F, C] and intercept [C] that take features as they come."""
    import numpy as np

    scaler, model = fitted[0], fitted[1]
    weights, intercept = columns(model, labels)
    own = weights.astype(np.float64) / np.maximum(scaler.scale_, TINY)[:, None]
    shifted = intercept - scaler.mean_ @ own
    return own.astype(np.float32), shifted.astype(np.float32)
