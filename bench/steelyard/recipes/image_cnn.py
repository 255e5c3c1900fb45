"""Train a small convolutional network of our own on greyscale pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from steelyard.api import BuildReport, BuildRequest, Item
from steelyard.errors import PrepareError
from steelyard.recipes import image_network, image_pictures, options

KNOWN = ("epochs", "max_train", "seed", "side", "turned")


class Settings(Struct, frozen=True, kw_only=True):
    """The card's options, read."""

    epochs: int
    side: int
    turned: bool
    max_train: int
    seed: int


class ImageCnn:
    """Writes `array.json` and `array.onnx` a fold.

    The same seed gives the same weights on one kind of processor: one thread, a fixed order.
    """

    version = 1
    trains = True
    tools: tuple[str, ...] = ("numpy", "onnx", "torch")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, task or option is wrong, or return None."""
        return (
            options.missing(("torch", "onnx"))
            or options.without_task(request, "image-cnn")
            or options.unknown(request.options, KNOWN)
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Train and write one folder a fold."""
        training = options.training(request, "image-cnn")
        settings = _settings(request)
        labels = [label.id for label in training.labels]
        size, sizes = 0, []
        for fold in range(training.folds):
            items = image_pictures.train_items(training, fold, settings.max_train, settings.seed)
            folder = out / f"fold-{fold}"
            folder.mkdir()
            size = _fold(request, items, labels, settings, folder)
            sizes.append(len(items))
        note = f"{settings.epochs} epochs of {max(sizes)} train items"
        return BuildReport(parameters=size, labelled_items=max(sizes), notes=(note,))


def _settings(request: BuildRequest) -> Settings:
    read = request.options
    return Settings(
        epochs=options.read(read, "epochs", 20),
        side=options.read(read, "side", 150),
        turned=options.read(read, "turned", default=True),
        max_train=options.read(read, "max_train", 5000),
        seed=options.read(read, "seed", 0),
    )


def _fold(
    request: BuildRequest,
    items: Sequence[Item],
    labels: list[str],
    settings: Settings,
    folder: Path,
) -> int:
    """Train on a fold's items, write its artefact, and return the number of weights."""
    from steelyard.backends.ort.array_input import GRAPH, Facts

    stack = _stack(request, items)
    mean, deviation = float(stack.mean()), float(stack.std())
    if not deviation > 0:
        raise PrepareError("every pixel of the train items is the same: nothing to learn from")
    high, wide = stack.shape[2:]
    shape = image_network.Shape(
        height=high, width=wide, pool=max(1, min(high, wide) // settings.side), labels=len(labels)
    )
    lesson = image_network.Lesson(
        epochs=settings.epochs, turned=settings.turned, seed=settings.seed
    )
    answers = [labels.index(item.label) for item in items]
    layers = image_network.train((stack - mean) / deviation, answers, shape, lesson)
    (folder / GRAPH).write_bytes(image_network.graph(layers, shape))
    facts = Facts(
        labels=tuple(labels),
        input="picture",
        output="scores",
        layout="flat",
        mean=(mean,),
        scale=(1 / deviation,),
        shape=(high, wide),
    )
    image_pictures.write_facts(folder, facts)
    return int(sum(value.size for pair in layers for value in pair))


def _stack(request: BuildRequest, items: Sequence[Item]) -> Any:
    """Return pictures of one size as float32 (N, 1, H, W)."""
    import numpy as np

    found = list(image_pictures.pictures(request, items))
    shapes = {picture.shape for picture in found}
    if len(shapes) != 1 or len(found[0].shape) != 2:
        some = ", ".join(str(shape) for shape in sorted(shapes)[:3])
        raise PrepareError(f"pictures of shape {some}; expected one shape, height x width")
    return np.stack(found).astype(np.float32)[:, None]
