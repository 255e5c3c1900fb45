"""Train a linear head on the features of an EfficientNet-Lite."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from msgspec import Struct

from steelyard.api import BuildReport, BuildRequest, Item
from steelyard.errors import PrepareError
from steelyard.recipes import (
    efficientnet_graph,
    efficientnet_weights,
    image_pictures,
    options,
    sampling,
)
from steelyard.recipes.heads import columns

KNOWN = ("cost", "cv_items", "max_train", "seed", "size")
CV_PARTS = 3
FEWEST_FOR_CV = 30


class Settings(Struct, frozen=True, kw_only=True):
    """The card's options, read. Of the costs that are tried the first is the default."""

    size: int
    cost: tuple[float, ...]
    cv_items: int
    max_train: int
    seed: int


class EfficientnetFeatures:
    """Writes `array.json` and `array.onnx` a fold: the card's network with a head of the task's.

    Only the head is trained.
    """

    version = 1
    trains = True
    tools: tuple[str, ...] = ("numpy", "onnx", "onnxruntime", "scikit-learn")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, file, task or option is wrong, or return None."""
        if len(request.files) != 1:
            return f"the card has {len(request.files)} files; expected one, of torch's weights"
        return (
            options.missing(("sklearn", "onnx", "onnxruntime"))
            or options.without_task(request, "efficientnet-features")
            or options.unknown(request.options, KNOWN)
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Show every train item to the network once, then train and write one folder a fold."""
        training = options.training(request, "efficientnet-features")
        settings = _settings(request)
        weights = efficientnet_weights.tensors(next(iter(request.files.values())))
        folds = [
            image_pictures.train_items(training, fold, settings.max_train, settings.seed)
            for fold in range(training.folds)
        ]
        sight = _sight(request, folds[0][0], settings)
        vectors = _vectors(request, folds, weights, sight)
        labels = [label.id for label in training.labels]
        size, notes = 0, []
        for fold, items in enumerate(folds):
            cost, note = choose(items, vectors, settings)
            head = _head(items, vectors, cost, labels)
            made = efficientnet_graph.graph(weights, sight, head)
            _write(out / f"fold-{fold}", made, labels, sight)
            size = efficientnet_graph.size(weights) + head[0].size + head[1].size
            notes.append(f"fold {fold}: {note}, {len(items)} train items")
        return BuildReport(parameters=size, labelled_items=max(map(len, folds)), notes=tuple(notes))


def _settings(request: BuildRequest) -> Settings:
    read = request.options
    return Settings(
        size=options.read(read, "size", 224),
        cost=tuple(float(value) for value in options.read(read, "cost", ["0.01", "0.001", "0.1"])),
        cv_items=options.read(read, "cv_items", 2000),
        max_train=options.read(read, "max_train", 5000),
        seed=options.read(read, "seed", 0),
    )


def _sight(request: BuildRequest, item: Item, settings: Settings) -> efficientnet_graph.Sight:
    """Return what the network is shown: the others must be like the first picture."""
    shape = next(image_pictures.pictures(request, [item])).shape
    if len(shape) == 2:
        channels = 1
    elif len(shape) == 3 and shape[2] == 3:
        channels = 3
    else:
        raise PrepareError(f"a picture of shape {shape}; expected height x width, or x 3 colours")
    return efficientnet_graph.Sight(
        height=shape[0], width=shape[1], channels=channels, size=settings.size
    )


def _facts(labels: Sequence[str], sight: efficientnet_graph.Sight) -> Any:
    from steelyard.backends.ort.array_input import Facts

    return Facts(
        labels=tuple(labels),
        input="picture",
        output="scores",
        layout="flat" if sight.channels == 1 else "channels-last",
        mean=(0.0,),
        scale=(1 / 255,),
        shape=(sight.height, sight.width),
    )


def _vectors(
    request: BuildRequest,
    folds: Sequence[Sequence[Item]],
    weights: dict[str, Any],
    sight: efficientnet_graph.Sight,
) -> dict[str, Any]:
    """Return the features of each item; `threads` calls of one thread each run side by side."""
    import numpy as np
    import onnxruntime as ort

    from steelyard.backends.ort.array_input import Preparation

    prepare = Preparation(_facts((), sight))
    how = ort.SessionOptions()
    how.intra_op_num_threads = 1
    how.log_severity_level = 3
    session = ort.InferenceSession(
        efficientnet_graph.graph(weights, sight, None), how, providers=["CPUExecutionProvider"]
    )
    items = {item.id: item for fold in folds for item in fold}

    def seen(item: Item) -> Any:
        (picture,) = image_pictures.pictures(request, [item])
        (rows,) = session.run(None, {"picture": prepare(picture)})
        return np.asarray(rows)[0]

    with ThreadPoolExecutor(max(1, request.threads)) as pool:
        return dict(zip(items, pool.map(seen, items.values()), strict=True))


def choose(items: Sequence[Item], vectors: dict[str, Any], settings: Settings) -> tuple[float, str]:
    """Choose the cost by cross-validation on at most `cv_items` train items."""
    sample = sampling.stratified(items, settings.cv_items, settings.seed)
    if len(settings.cost) == 1 or len(sample) < FEWEST_FOR_CV:
        return settings.cost[0], f"C {settings.cost[0]:g}, not chosen by cross-validation"
    tried = [(_accuracy(sample, vectors, cost, settings.seed), cost) for cost in settings.cost]
    accuracy, cost = max(tried, key=lambda entry: entry[0])
    return cost, f"C {cost:g}; {CV_PARTS}-fold accuracy {accuracy:.4f} on {len(sample)}"


def _accuracy(sample: Sequence[Item], vectors: dict[str, Any], cost: float, seed: int) -> float:
    parts, hits = sampling.deal(sample, CV_PARTS, seed), 0
    for held_out in range(CV_PARTS):
        train = [item for item, part in zip(sample, parts, strict=True) if part != held_out]
        test = [item for item, part in zip(sample, parts, strict=True) if part == held_out]
        if len({item.label for item in train}) < 2:
            continue
        mean, deviation, model = _fit(train, vectors, cost)
        said = model.predict([(vectors[item.id] - mean) / deviation for item in test])
        hits += sum(item.label == label for item, label in zip(test, said, strict=True))
    return hits / len(sample)


def _fit(items: Sequence[Item], vectors: dict[str, Any], cost: float) -> tuple[Any, Any, Any]:
    """Return the features' mean and deviation, and the model of what is left of them."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    rows = np.stack([vectors[item.id] for item in items]).astype(np.float64)
    mean, deviation = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    model = LogisticRegression(C=cost, max_iter=1000)
    with threadpool_limits(1):  # more threads change the sums, and so the bytes
        model.fit((rows - mean) / deviation, [item.label for item in items])
    return mean, deviation, model


def _head(
    items: Sequence[Item], vectors: dict[str, Any], cost: float, labels: list[str]
) -> tuple[Any, Any]:
    """Return weight (C, F) and bias (C) of the head, the features' scale folded in."""
    import numpy as np

    mean, deviation, model = _fit(items, vectors, cost)
    coefficients, intercept = columns(model, labels)
    weight = coefficients.T / deviation
    bias = intercept - weight @ mean
    return weight.astype(np.float32), bias.astype(np.float32)


def _write(
    folder: Path, made: bytes, labels: Sequence[str], sight: efficientnet_graph.Sight
) -> None:
    from steelyard.backends.ort.array_input import GRAPH

    folder.mkdir()
    (folder / GRAPH).write_bytes(made)
    image_pictures.write_facts(folder, _facts(labels, sight))
