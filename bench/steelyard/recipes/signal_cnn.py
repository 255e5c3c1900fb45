"""Train a small convolutional network on signals, for each fold, and write it as ONNX.

How wide it is, is chosen by cross-validation on the train items, each trial with a third of the
steps: groups (a recording, a person) stay together.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from steelyard.api import BuildReport, BuildRequest, TrainingSet
from steelyard.errors import PrepareError
from steelyard.recipes import options
from steelyard.recipes.signal_data import (
    CV_PARTS,
    Fold,
    arrays_of,
    fold_of,
    parts_of,
    without_arrays,
)

if TYPE_CHECKING:
    from steelyard.backends.ort.array_input import Facts
    from steelyard.recipes.signal_network import Training

KNOWN = ("batch", "rate", "seed", "steps", "widths")
# Where lengths differ, a stretch longer than these nineteen in twenty is cropped.
LENGTH_QUANTILE = 0.95


class Settings(Struct, frozen=True, kw_only=True):
    """The card's options, read and checked. The first of `widths` is the default."""

    widths: tuple[int, ...]
    steps: int
    batch: int
    rate: float
    seed: int


class SignalCnn:
    """Writes `array.onnx` and `array.json` for each fold."""

    version = 1
    trains = True
    tools: tuple[str, ...] = ("numpy", "onnx", "torch")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, task or option is wrong, or return None."""
        return (
            options.missing(("torch", "onnx", "onnxruntime"))
            or options.without_task(request, "signal-cnn")
            or without_arrays(request, "signal-cnn")
            or options.unknown(request.options, KNOWN)
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Train and write one folder a fold."""
        training = options.training(request, "signal-cnn")
        settings = _settings(request)
        values = arrays_of(request, training)
        notes, sizes, counts = [], [], []
        for number in range(training.folds):
            fold = fold_of(training, number, values)
            size, note = _fold(fold, training, settings, out / f"fold-{number}")
            sizes.append(size)
            counts.append(len(fold.items))
            notes.append(f"fold {number}: {note}, {len(fold.items)} train items")
        return BuildReport(parameters=max(sizes), labelled_items=max(counts), notes=tuple(notes))


def _settings(request: BuildRequest) -> Settings:
    read = request.options
    widths = options.read(read, "widths", ["16", "8"])
    if not widths or not all(width.isdigit() and int(width) for width in widths):
        raise PrepareError(f"options.widths: expected whole numbers as text, got {widths}")
    return Settings(
        widths=tuple(int(width) for width in widths),
        steps=options.read(read, "steps", 400),
        batch=options.read(read, "batch", 64),
        rate=options.read(read, "rate", 0.004),
        seed=options.read(read, "seed", 0),
    )


def _fold(fold: Fold, training: TrainingSet, settings: Settings, folder: Path) -> tuple[int, str]:
    """Train and write one fold; return how many numbers were trained, and what was chosen."""
    import torch

    from steelyard.backends.ort.array_input import FACTS, GRAPH, Preparation
    from steelyard.recipes import signal_network

    facts = facts_of(fold.values, [label.id for label in training.labels])
    prepare = Preparation(facts)
    inputs = torch.cat([torch.from_numpy(prepare(value)) for value in fold.values])
    targets = torch.tensor(fold.targets)
    width, note = _choose(fold, inputs, len(training.labels), settings)
    how = _training(width, settings)
    model = signal_network.train(inputs, targets, len(training.labels), how)
    folder.mkdir()
    (folder / FACTS).write_bytes(msgspec.json.encode(facts, order="sorted"))
    signal_network.export(model, inputs[:32], folder / GRAPH)
    return signal_network.parameters(model), note


def facts_of(values: Sequence[Any], labels: Sequence[str]) -> Facts:
    """Return how signals become inputs: median and median deviation of each channel, one length.

    Both are medians since what an appliance draws when it starts would dwarf the rest otherwise.
    """
    import numpy as np

    from steelyard.backends.ort.array_input import Facts
    from steelyard.recipes.signal_network import INPUT, OUTPUT

    columns = np.concatenate([np.asarray(value, np.float64) for value in values])
    if columns.ndim == 1:
        columns = columns[:, None]
    middle = np.median(columns, axis=0)
    spread = np.median(np.abs(columns - middle), axis=0)
    spread = np.where(spread > 0, spread, 1)
    lengths = sorted(len(value) for value in values)
    length = lengths[int(LENGTH_QUANTILE * (len(lengths) - 1))]
    return Facts(
        labels=tuple(labels),
        input=INPUT,
        output=OUTPUT,
        layout="flat" if np.ndim(values[0]) == 1 else "channels-last",
        mean=tuple(middle.tolist()),
        scale=tuple((1 / spread).tolist()),
        shape=(length,),
    )


def _training(width: int, settings: Settings) -> Training:
    from steelyard.recipes.signal_network import Training

    return Training(
        width=width,
        steps=settings.steps,
        batch=settings.batch,
        rate=settings.rate,
        seed=settings.seed,
    )


def _choose(fold: Fold, inputs: Any, labels: int, settings: Settings) -> tuple[int, str]:
    """Return the width that cross-validation gets most items right with, and a note of it."""
    parts = parts_of(fold, settings.seed)
    if parts is None or len(settings.widths) == 1:
        return settings.widths[0], f"width {settings.widths[0]}, not chosen by cross-validation"
    trial = msgspec.structs.replace(settings, steps=max(1, settings.steps // 3))
    right = {
        width: _right(fold, parts, inputs, labels, _training(width, trial))
        for width in settings.widths
    }
    best = max(settings.widths, key=lambda width: right[width])
    shares = ", ".join(f"{width} {right[width] / len(parts):.4f}" for width in settings.widths)
    return best, f"width {best}; {CV_PARTS}-fold accuracy {shares}"


def _right(fold: Fold, parts: Sequence[int], inputs: Any, labels: int, how: Training) -> int:
    """Return how many items networks get right that were not trained on them."""
    import torch

    from steelyard.recipes import signal_network

    targets, part = torch.tensor(fold.targets), torch.tensor(parts)
    count = 0
    for held_out in range(CV_PARTS):
        kept, held = part != held_out, part == held_out
        model = signal_network.train(inputs[kept], targets[kept], labels, how)
        said = torch.tensor(signal_network.predict(model, inputs[held]))
        count += int((said == targets[held]).sum())
    return count
