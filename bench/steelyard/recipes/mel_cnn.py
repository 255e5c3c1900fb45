"""Train a small convolutional network over time on log-mel spectrograms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from steelyard.api import BuildReport, BuildRequest, Item
from steelyard.recipes import mel_network, options, sound_export

KNOWN = ("epochs", "seed")


class MelCnn:
    """Writes a network a fold: three convolutions over time, their mean and maximum, a layer.

    The same seed gives the same weights on one kind of processor: one thread, fixed order.
    """

    version = 1
    trains = True
    tools: tuple[str, ...] = ("numpy", "onnx", "torch")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, task or option is wrong, or return None."""
        return (
            options.missing(("torch", "onnx"))
            or options.without_task(request, "mel-cnn")
            or options.unknown(request.options, KNOWN)
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Train and write one folder a fold."""
        training = options.training(request, "mel-cnn")
        labels = [label.id for label in training.labels]
        shown = sound_export.features(request, training, "spectrogram")
        sizes = []
        for fold in range(training.folds):
            items = training.train_items(fold)
            folder = out / f"fold-{fold}"
            folder.mkdir()
            weights = _train(items, shown, labels, request)
            (folder / sound_export.GRAPH).write_bytes(mel_network.graph(weights))
            sound_export.write_facts(folder, {"labels": labels, "features": "spectrogram"})
            sizes.append(len(items))
        size = parameters(out / "fold-0" / sound_export.GRAPH)
        return BuildReport(parameters=size, labelled_items=max(sizes))


def _train(
    items: Sequence[Item], shown: dict[str, Any], labels: list[str], request: BuildRequest
) -> dict[str, Any]:
    epochs = options.read(request.options, "epochs", 30)
    seed = options.read(request.options, "seed", 0)
    answers = [labels.index(item.label) for item in items]
    inputs = [shown[item.id] for item in items]
    return mel_network.train(inputs, answers, len(labels), epochs=epochs, seed=seed)


def parameters(path: Path) -> int:
    """Return how many trained numbers a network in fp32 has."""
    import numpy as np
    import onnx

    graph = onnx.load(str(path)).graph
    return sum(int(np.prod(constant.dims)) for constant in graph.initializer)
