"""Train an encoder end to end on a task's train items, for each fold; quantise what was trained."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from steelyard.api import BuildReport, BuildRequest, TrainingSet
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.recipes import encoder_export, options, published_files, sampling
from steelyard.recipes.encoder_finetune_settings import KNOWN, Learned, Settings, settings_of

FILES = ("config.json", "model.safetensors", "tokenizer.json")
# A session of kind `classifier` opens the first three; `learned.json` is for what is built next.
MODEL, FACTS, TOKENIZER, LEARNED = "model.onnx", "classifier.json", "tokenizer.json", "learned.json"
PRECISIONS = ("fp32", "int8")
PACKAGES = ("torch", "transformers", "onnx", "onnxruntime", "optimum", "tokenizers")
BASE_KNOWN = ("precision",)


class EncoderFinetune:
    """Writes a classifier for each fold: `model.onnx`, `classifier.json`, `tokenizer.json`.

    Without a `base` it trains the card's safetensors; with one it puts what was trained there into
    option `precision`: `fp32` as it is, `int8` quantised dynamically, weights a channel.
    """

    version = 1
    trains = True
    tools: tuple[str, ...] = (
        "numpy",
        "onnx",
        "onnxruntime",
        "optimum",
        "optimum-onnx",
        "tokenizers",
        "torch",
        "transformers",
    )

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which option, file, package or task is wrong, or return None."""
        wrong = _wrong_precision(request) if request.base else _wrong_training(request)
        return (
            wrong or options.missing(PACKAGES) or options.without_task(request, "encoder-finetune")
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Train one model a fold, or give the base's another precision."""
        training = options.training(request, "encoder-finetune")
        folders = [out / f"fold-{fold}" for fold in range(training.folds)]
        for folder in folders:
            folder.mkdir()
        if request.base is None:
            settings = settings_of(request.options)
            learned = [
                _train(request.files, training, fold, settings, folder)
                for fold, folder in enumerate(folders)
            ]
        else:
            precision = str(request.options["precision"])
            learned = [_put(request.base / folder.name, folder, precision) for folder in folders]
        return BuildReport(
            parameters=learned[0].parameters,
            labelled_items=max(one.labelled_items for one in learned),
            notes=tuple(f"fold {fold}: {one.note}" for fold, one in enumerate(learned)),
        )


def _wrong_training(request: BuildRequest) -> str | None:
    absent = [name for name in FILES if name not in request.files]
    if absent:
        return f"the model's card has no file {', '.join(absent)}"
    return options.unknown(request.options, KNOWN) or _wrong_settings(request.options)


def _wrong_settings(given: Mapping[str, Option]) -> str | None:
    try:
        settings_of(given)
    except PrepareError as error:
        return str(error)
    return None


def _wrong_precision(request: BuildRequest) -> str | None:
    if request.options.get("precision") not in PRECISIONS:
        return f"options.precision: expected one of {', '.join(PRECISIONS)} beside a base"
    return options.unknown(request.options, BASE_KNOWN)


def _train(
    files: Mapping[str, Path], training: TrainingSet, fold: int, settings: Settings, folder: Path
) -> Learned:
    """Train, export and note one fold."""
    # Two threads that spin at barriers take three times as long where others compute, too; what
    # has been loaded already keeps its ways.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from steelyard.recipes import encoder_finetune_torch as by_torch

    items = sampling.stratified(training.train_items(fold), settings.max_train, settings.seed)
    if len({item.label for item in items}) < 2:
        raise PrepareError(
            f"task {training.task}, fold {fold}: {len(items)} train items with fewer than two "
            "labels; check the card's split"
        )
    labels = tuple(label.id for label in training.labels)
    shutil.copyfile(files[TOKENIZER], folder / TOKENIZER)
    (folder / FACTS).write_bytes(_facts(settings, labels, files))
    trained = by_torch.train(files, folder, items, settings)
    difference = by_torch.export(trained.model, folder / MODEL, settings.max_length)
    learned = Learned(
        parameters=trained.parameters,
        labelled_items=len(items),
        note=f"{trained.note}; equals torch within {difference:.1e}",
    )
    (folder / LEARNED).write_bytes(msgspec.json.encode(learned, order="sorted"))
    return learned


def _facts(settings: Settings, labels: tuple[str, ...], files: Mapping[str, Path]) -> bytes:
    """Return `classifier.json` as steelyard.backends.ort.published reads it."""
    config = msgspec.json.decode(files["config.json"].read_bytes())
    facts = {
        "labels": labels,
        "max_length": settings.max_length,
        "pad": int(config.get("pad_token_id") or 0),
        "pairs": settings.pairs,
    }
    return msgspec.json.encode(facts, order="sorted")


def _put(base: Path, folder: Path, precision: str) -> Learned:
    """Write one fold of the base in another precision."""
    for name in (FACTS, TOKENIZER, LEARNED):
        shutil.copyfile(base / name, folder / name)
    if precision == "fp32":
        published_files.link(base / MODEL, folder / MODEL)
    else:
        encoder_export.quantise(base / MODEL, folder / MODEL, per_channel=True)
    return msgspec.json.decode((folder / LEARNED).read_bytes(), type=Learned)
