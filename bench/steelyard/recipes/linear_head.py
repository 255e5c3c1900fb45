"""Train a linear head on an encoder's vectors, for each fold of a task."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from steelyard.api import BuildReport, BuildRequest, Item, SessionSpec, TrainingSet
from steelyard.errors import PrepareError
from steelyard.recipes import options, sampling
from steelyard.recipes.heads import columns

KNOWN = ("cost", "cv_items", "max_train", "seed")
SHARED = ("encoder.json", "encoder.onnx", "tokenizer.json")
CV_PARTS = 3
FEWEST_FOR_CV = 30


class Settings(Struct, frozen=True, kw_only=True):
    """The card's options, read and checked. The first of `cost` is the default."""

    cost: tuple[float, ...]
    cv_items: int
    max_train: int
    seed: int


class LinearHead:
    """Writes the base encoder and a logistic regression on its vectors for each fold.

    The encoder sees one text at a time, as it will when it is measured: batches would be padded,
    and the activation scales of a dynamically quantised model depend on its neighbours.
    """

    version = 1
    trains = True
    tools: tuple[str, ...] = ("numpy", "onnxruntime", "scikit-learn", "tokenizers")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, base, task or option is wrong, or return None."""
        if request.base is None:
            return "recipe 'linear-head' needs an encoder; name its stage as `base`"
        return (
            options.missing(("sklearn", "onnxruntime", "tokenizers"))
            or options.without_task(request, "linear-head")
            or options.unknown(request.options, KNOWN)
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Embed each item once, then train and write one folder a fold."""
        training = options.training(request, "linear-head")
        if request.base is None:
            raise PrepareError("recipe 'linear-head' needs an encoder; name its stage as `base`")
        settings = _settings(request)
        folds = [_train_items(training, fold, settings) for fold in range(training.folds)]
        vectors = _embed(request.base, request.threads, folds)
        size, notes = 0, []
        for fold, items in enumerate(folds):
            folder = out / f"fold-{fold}"
            folder.mkdir()
            share(request.base, folder)
            size, note = _fold(items, vectors, training, settings, folder)
            notes.append(f"fold {fold}: {note}")
        labelled = max(len(items) for items in folds)
        return BuildReport(parameters=size, labelled_items=labelled, notes=tuple(notes))


def share(base: Path, folder: Path) -> None:
    """Give a fold the base encoder's files: as hard links where the file system has them."""
    for name in SHARED:
        try:
            os.link(base / name, folder / name)
        except OSError:
            shutil.copyfile(base / name, folder / name)


def _settings(request: BuildRequest) -> Settings:
    read = request.options
    return Settings(
        cost=tuple(float(value) for value in options.read(read, "cost", ["10", "1", "100"])),
        cv_items=options.read(read, "cv_items", 2000),
        max_train=options.read(read, "max_train", 4000),
        seed=options.read(read, "seed", 0),
    )


def _train_items(training: TrainingSet, fold: int, settings: Settings) -> list[Item]:
    items = sampling.stratified(training.train_items(fold), settings.max_train, settings.seed)
    if len({item.label for item in items}) < 2:
        raise PrepareError(
            f"task {training.task}, fold {fold}: {len(items)} train items with fewer than two "
            "labels; check the card's split"
        )
    return items


def _embed(base: Path, threads: int, folds: list[list[Item]]) -> dict[str, Any]:
    """Return the vector of each item; `threads` calls of one thread each run side by side."""
    from steelyard.backends.ort.encoder import open_embedder

    spec = SessionSpec(artifact=str(base), session="encoder", threads=1, labels=(), options={})
    embedder = open_embedder(spec)
    items = {item.id: item.text for fold in folds for item in fold}
    with ThreadPoolExecutor(max(1, threads)) as pool:
        vectors = pool.map(lambda text: embedder.embed(embedder.encode(text)), items.values())
        return dict(zip(items, vectors, strict=True))


def _fold(
    items: Sequence[Item],
    vectors: dict[str, Any],
    training: TrainingSet,
    settings: Settings,
    folder: Path,
) -> tuple[int, str]:
    import numpy as np

    cost, note = _choose(items, vectors, settings)
    model = _fit(items, vectors, cost)
    labels = [label.id for label in training.labels]
    weights, intercept = columns(model, labels)
    np.save(folder / "weights.npy", weights, allow_pickle=False)
    np.save(folder / "intercept.npy", intercept, allow_pickle=False)
    (folder / "head.json").write_bytes(msgspec.json.encode({"labels": labels}))
    return int(model.coef_.size + model.intercept_.size), f"{note}, {len(items)} train items"


def _choose(
    items: Sequence[Item], vectors: dict[str, Any], settings: Settings
) -> tuple[float, str]:
    """Choose the cost by cross-validation on at most `cv_items` train items."""
    sample = sampling.stratified(items, settings.cv_items, settings.seed)
    if len(settings.cost) == 1 or len(sample) < FEWEST_FOR_CV:
        return settings.cost[0], f"C {settings.cost[0]:g}, not chosen by cross-validation"
    tried = [(_accuracy(sample, vectors, cost, settings.seed), cost) for cost in settings.cost]
    accuracy, cost = max(tried, key=lambda entry: entry[0])
    return cost, f"C {cost:g}; {CV_PARTS}-fold accuracy {accuracy:.4f} on {len(sample)}"


def _accuracy(sample: list[Item], vectors: dict[str, Any], cost: float, seed: int) -> float:
    parts = sampling.deal(sample, CV_PARTS, seed)
    hits = 0
    for held_out in range(CV_PARTS):
        train = [item for item, part in zip(sample, parts, strict=True) if part != held_out]
        test = [item for item, part in zip(sample, parts, strict=True) if part == held_out]
        if len({item.label for item in train}) < 2:
            continue
        said = _fit(train, vectors, cost).predict([vectors[item.id] for item in test])
        hits += sum(item.label == label for item, label in zip(test, said, strict=True))
    return hits / len(sample)


def _fit(items: Sequence[Item], vectors: dict[str, Any], cost: float) -> Any:
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    model = LogisticRegression(C=cost, max_iter=1000)
    # More BLAS threads change the sums (and so the bytes), and on a busy machine cost 10 times
    # the time: 1,500 x 384 took 10.5 s with two threads and 1.3 s with one.
    with threadpool_limits(1):
        return model.fit([vectors[item.id] for item in items], [item.label for item in items])
