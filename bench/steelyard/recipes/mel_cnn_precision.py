"""Bring the networks of `mel-cnn` to a variant's precision: as they are, or static int8."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from steelyard.api import BuildReport, BuildRequest
from steelyard.errors import PrepareError
from steelyard.recipes import options, sampling, sound_export, static_int8
from steelyard.recipes.mel_cnn import parameters

KNOWN = ("calibration_items", "precision", "seed")


class MelCnnPrecision:
    """Writes each fold's network of the base stage at `precision`.

    The ranges of int8 are taken from `calibration_items` train items.
    """

    version = 1
    trains = True
    tools: tuple[str, ...] = static_int8.TOOLS

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, base, task or option is wrong, or return None."""
        if request.base is None:
            return "recipe 'mel-cnn-precision' needs networks; name their stage as `base`"
        if request.options.get("precision", "fp32") not in {"fp32", "int8"}:
            return "options.precision: expected fp32 or int8"
        return (
            options.missing(static_int8.PACKAGES)
            or options.without_task(request, "mel-cnn-precision")
            or options.unknown(request.options, KNOWN)
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Copy or quantise the network of each fold."""
        training = options.training(request, "mel-cnn-precision")
        if request.base is None:
            raise PrepareError("recipe 'mel-cnn-precision' needs a base")
        precision = options.read(request.options, "precision", "fp32")
        for fold in range(training.folds):
            source, folder = request.base / f"fold-{fold}", out / f"fold-{fold}"
            folder.mkdir()
            shutil.copyfile(source / sound_export.FACTS, folder / sound_export.FACTS)
            if precision == "fp32":
                shutil.copyfile(source / sound_export.GRAPH, folder / sound_export.GRAPH)
            else:
                batches = _batches(request, fold)
                target = folder / sound_export.GRAPH
                static_int8.quantise(source / sound_export.GRAPH, target, batches)
        labelled = max(len(training.train_items(fold)) for fold in range(training.folds))
        size = parameters(request.base / "fold-0" / sound_export.GRAPH)
        return BuildReport(parameters=size, labelled_items=labelled)


def _batches(request: BuildRequest, fold: int) -> list[dict[str, Any]]:
    """Return the calibration items of a fold, one a batch, as the session gives them."""
    training = options.training(request, "mel-cnn-precision")
    shown = sound_export.features(request, training, "spectrogram")
    count = options.read(request.options, "calibration_items", 100)
    seed = options.read(request.options, "seed", 0)
    chosen = sampling.stratified(training.train_items(fold), count, seed)
    return [{"features": shown[item.id][None]} for item in chosen]
