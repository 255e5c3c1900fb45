"""Make the energy baseline: one figure of a clip and a threshold, both chosen on train items."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from steelyard.api import BuildReport, BuildRequest, Item
from steelyard.errors import PrepareError
from steelyard.recipes import options, sound_export

FIGURES = ("contrast", "flatness of the least flat frames", "flatness of the flattest", "level")


class EnergyVad:
    """Writes a graph that compares one of four figures of a clip with a threshold.

    Chosen is the figure, its direction and the threshold with the most train items right.
    """

    version = 1
    trains = True
    tools: tuple[str, ...] = ("numpy", "onnx")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, task or option is wrong, or return None."""
        return (
            options.missing(("onnx",))
            or options.without_task(request, "energy-vad")
            or _two_labels(request)
            or options.unknown(request.options, ())
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Write one folder a fold."""
        training = options.training(request, "energy-vad")
        labels = [label.id for label in training.labels]
        figures = sound_export.features(request, training, "energy")
        notes, sizes = [], []
        for fold in range(training.folds):
            items = training.train_items(fold)
            folder = out / f"fold-{fold}"
            folder.mkdir()
            notes.append(f"fold {fold}: {_fold(items, figures, labels, folder)}")
            sizes.append(len(items))
        return BuildReport(parameters=2, labelled_items=max(sizes), notes=tuple(notes))


def _two_labels(request: BuildRequest) -> str | None:
    if request.training and len(request.training.labels) != 2:
        return "recipe 'energy-vad' tells two labels apart; the task has others"
    return None


def _fold(items: Sequence[Item], figures: dict[str, Any], labels: list[str], folder: Path) -> str:
    import numpy as np

    rows = np.array([figures[item.id] for item in items], np.float64)
    truth = np.array([item.label == labels[0] for item in items])
    tried = [(*threshold(rows[:, at], truth), at) for at in range(len(FIGURES))]
    right, bound, sign, at = max(tried, key=lambda entry: entry[0])
    coefficients = np.zeros((len(FIGURES), 2), np.float32)
    coefficients[at] = [sign, -sign]
    intercept = np.array([-sign * bound, sign * bound], np.float32)
    facts = {"labels": labels, "features": "energy"}
    sound_export.write_linear(folder, coefficients, intercept, facts)
    side = "above" if sign > 0 else "below"
    return f"{labels[0]} where the {FIGURES[at]} is {side} {bound:.2f} dB; {right:.4f} of train"


def threshold(values: Any, truth: Any) -> tuple[float, float, int]:
    """Return the best share right, the threshold, and 1 where `truth` lies above it, else -1.

    Thresholds lie halfway between neighbouring values; the lowest of equally good ones is taken.
    """
    import numpy as np

    if not len(values):
        raise PrepareError("no train items; check the card's split")
    order = np.argsort(values, kind="stable")
    ranked, true = values[order], truth[order].astype(np.int64)
    # With the first `n` below the threshold: the others below it and the true ones above it.
    below = np.concatenate([[0], np.cumsum(1 - true)]) + true.sum()
    right = below - np.concatenate([[0], np.cumsum(true)])
    ends = [ranked[0] - 1.0, ranked[-1] + 1.0]
    bounds = np.concatenate([ends[:1], (ranked[1:] + ranked[:-1]) / 2, ends[1:]])
    apart = np.concatenate([[True], ranked[1:] > ranked[:-1], [True]])
    best = []
    for sign, counts in ((1, right), (-1, len(values) - right)):
        at = int(np.argmax(np.where(apart, counts, -1)))
        best.append((int(counts[at]), float(bounds[at]), sign))
    count, bound, sign = max(best, key=lambda entry: entry[0])
    return count / len(values), bound, sign
