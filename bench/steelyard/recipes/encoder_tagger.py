"""Fine-tune an encoder that tags word pieces, for each fold of a task, and export it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from steelyard.api import BuildReport, BuildRequest, Item
from steelyard.errors import PrepareError
from steelyard.notation import parse_spans
from steelyard.recipes import options
from steelyard.recipes.encoder_tagger_training import Settings, TagFacts, train
from steelyard.recipes.span_tags import tag_names, units_of

KNOWN = ("batch", "epochs", "learning_rate", "max_length", "seed", "threads", "warm_up")
FILES = ("config.json", "model.safetensors", "tokenizer.json")
PACKAGES = ("torch", "transformers", "tokenizers", "optimum", "onnx", "onnxruntime")
GRAPH, FACTS, TOKENIZER = "tagger.onnx", "tagger.json", "tokenizer.json"


class EncoderTagger:
    """Writes `tagger.onnx`, `tagger.json` and `tokenizer.json` for each fold.

    All weights but the words' vectors are trained. The number of threads is an option, not the
    machine's: it decides the order of sums, and so the bytes.
    """

    version = 1
    trains = True
    tools: tuple[str, ...] = (
        "onnx",
        "onnxruntime",
        "optimum",
        "optimum-onnx",
        "tokenizers",
        "torch",
        "transformers",
    )

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which file, package, task or option is wrong, or return None."""
        absent = [name for name in FILES if name not in request.files]
        if absent:
            return f"the model's card has no file {', '.join(absent)}"
        return (
            options.missing(PACKAGES)
            or options.without_task(request, "encoder-tagger")
            or options.unknown(request.options, KNOWN)
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Train and export one model a fold."""
        training = options.training(request, "encoder-tagger")
        settings = _settings(request)
        sizes, notes, labelled = [], [], []
        for fold in range(training.folds):
            items = training.train_items(fold)
            facts = _facts(items, [label.id for label in training.labels], settings)
            folder = out / f"fold-{fold}"
            folder.mkdir()
            size, note = train(request.files, items, facts, settings, folder / GRAPH)
            (folder / FACTS).write_bytes(msgspec.json.encode(facts, order="sorted"))
            shutil.copyfile(request.files["tokenizer.json"], folder / TOKENIZER)
            sizes.append(size)
            labelled.append(len(items))
            notes.append(f"fold {fold}: {note}")
        return BuildReport(parameters=max(sizes), labelled_items=max(labelled), notes=tuple(notes))


def _settings(request: BuildRequest) -> Settings:
    read = request.options
    return Settings(
        epochs=options.read(read, "epochs", 4),
        batch=options.read(read, "batch", 16),
        learning_rate=options.read(read, "learning_rate", 3e-4),
        warm_up=options.read(read, "warm_up", 0.1),
        max_length=options.read(read, "max_length", 256),
        threads=options.read(read, "threads", 2),
        seed=options.read(read, "seed", 0),
    )


def _facts(items: Sequence[Item], kinds: Sequence[str], settings: Settings) -> TagFacts:
    """Return what the session must know; only types that occur in training have tags."""
    seen = {kind for item in items for _, _, kind in parse_spans(item.label)}
    if not seen:
        raise PrepareError("no train item has a span; check the card's split")
    return TagFacts(
        units=units_of(items),
        tags=tag_names(kind for kind in kinds if kind in seen),
        max_length=settings.max_length,
    )
