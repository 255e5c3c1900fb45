"""Give a trained tagger its precision: as it was exported, or with int8 weights."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from steelyard.api import BuildReport, BuildRequest
from steelyard.errors import PrepareError
from steelyard.recipes import encoder_export, options
from steelyard.recipes.encoder_tagger import FACTS, GRAPH, TOKENIZER

KNOWN = ("parameters", "per_channel", "precision")
PACKAGES = {"fp32": (), "int8": ("optimum", "onnx", "onnxruntime")}


class TaggerPrecision:
    """Writes the base's folds: with option `precision` = `int8`, each graph quantised."""

    version = 1
    trains = True
    tools: tuple[str, ...] = ("onnx", "onnxruntime", "optimum", "optimum-onnx")

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which base, package, task or option is wrong, or return None."""
        precision = options.read(request.options, "precision", "fp32")
        if precision not in PACKAGES:
            return f"options.precision: {precision!r} is none of {', '.join(PACKAGES)}"
        if request.base is None:
            return "recipe 'encoder-tagger-precision' needs a trained tagger; name it as `base`"
        return (
            options.missing(PACKAGES[precision])
            or options.without_task(request, "encoder-tagger-precision")
            or options.unknown(request.options, KNOWN)
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Write one folder a fold."""
        training = options.training(request, "encoder-tagger-precision")
        if request.base is None:
            raise PrepareError("recipe 'encoder-tagger-precision' needs a base")
        quantised = options.read(request.options, "precision", "fp32") == "int8"
        per_channel = options.read(request.options, "per_channel", default=True)
        for fold in range(training.folds):
            source, folder = request.base / f"fold-{fold}", out / f"fold-{fold}"
            folder.mkdir()
            for name in (FACTS, TOKENIZER) if quantised else (FACTS, TOKENIZER, GRAPH):
                _share(source / name, folder / name)
            if quantised:
                encoder_export.quantise(source / GRAPH, folder / GRAPH, per_channel=per_channel)
        scope = "channel" if per_channel else "tensor"
        return BuildReport(
            parameters=options.read(request.options, "parameters", 0),
            labelled_items=max(len(training.train_items(f)) for f in range(training.folds)),
            notes=(f"dynamic int8, weights a {scope}",) if quantised else (),
        )


def _share(source: Path, target: Path) -> None:
    """Give a fold a file of the base: as a hard link where the file system has them."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
