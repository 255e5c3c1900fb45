"""Train a conditional random field that tags words, for each fold of a task."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from steelyard.api import BuildReport, BuildRequest, Item
from steelyard.errors import PrepareError
from steelyard.notation import parse_spans
from steelyard.recipes import options, sampling
from steelyard.recipes.crf_features import features
from steelyard.recipes.span_tags import Units, places, spans_of, tags_of, units_of

KNOWN = ("iterations", "penalties", "seed")
FACTS, MODEL = "tagger.json", "model.crfsuite"
CV_PARTS = 3
FEWEST_FOR_CV = 30


class Settings(Struct, frozen=True, kw_only=True):
    """The card's options. `penalties` are pairs of L1 and L2, the default first."""

    penalties: tuple[tuple[float, float], ...]
    iterations: int
    seed: int


class _Example(NamedTuple):
    """A train item as CRFsuite sees it."""

    described: list[list[str]]
    tags: list[str]


class CrfTagger:
    """Writes `model.crfsuite` and `tagger.json` for each fold."""

    version = 1
    trains = True
    tools: tuple[str, ...] = ("python-crfsuite",)

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, task or option is wrong, or return None."""
        if options.missing(("pycrfsuite",)):
            return "python-crfsuite not installed\ntry: pip install 'steelyard[crf]'"
        return options.without_task(request, "crf-tagger") or options.unknown(
            request.options, KNOWN
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Train one model a fold."""
        training = options.training(request, "crf-tagger")
        settings = _settings(request)
        sizes, notes, labelled = [], [], []
        for fold in range(training.folds):
            items = training.train_items(fold)
            if not any(parse_spans(item.label) for item in items):
                raise PrepareError(f"task {training.task}, fold {fold}: no span to train on")
            folder = out / f"fold-{fold}"
            folder.mkdir()
            size, note = _fold(items, settings, folder)
            sizes.append(size)
            labelled.append(len(items))
            notes.append(f"fold {fold}: {note}")
        return BuildReport(parameters=max(sizes), labelled_items=max(labelled), notes=tuple(notes))


def _settings(request: BuildRequest) -> Settings:
    read = request.options
    pairs = options.read(read, "penalties", ["0.1:0.01", "0.01:0.1"])
    return Settings(
        penalties=tuple(_penalties(pair) for pair in pairs),
        iterations=options.read(read, "iterations", 100),
        seed=options.read(read, "seed", 0),
    )


def _penalties(pair: str) -> tuple[float, float]:
    """Read `L1:L2`."""
    first, _, second = pair.partition(":")
    try:
        return float(first), float(second)
    except ValueError as error:
        raise PrepareError(f"options.penalties: {pair!r}, expected L1:L2 as 0.1:0.01") from error


def _fold(items: Sequence[Item], settings: Settings, folder: Path) -> tuple[int, str]:
    """Choose the penalties, train on all items, write; return the weights and a note."""
    units = units_of(items)
    examples = [_example(item, units) for item in items]
    chosen, note = _choose(items, examples, units, settings)
    size = train(examples, chosen, settings.iterations, folder / MODEL)
    kinds = sorted({kind for item in items for _, _, kind in parse_spans(item.label)})
    facts = {"units": units, "kinds": kinds}
    (folder / FACTS).write_bytes(msgspec.json.encode(facts, order="sorted"))
    return size, f"{note}, {units}, {len(items)} train items"


def _example(item: Item, units: Units) -> _Example:
    at = places(item.text, units)
    return _Example(features(item.text, at), tags_of(parse_spans(item.label), at))


def _choose(
    items: Sequence[Item], examples: Sequence[_Example], units: Units, settings: Settings
) -> tuple[tuple[float, float], str]:
    """Choose the penalties by cross-validation; groups of items stay together."""
    first = settings.penalties[0]
    if len(settings.penalties) == 1 or len(items) < FEWEST_FOR_CV:
        return first, f"L1 {first[0]:g}, L2 {first[1]:g}, not chosen by cross-validation"
    parts = sampling.deal(items, CV_PARTS, settings.seed)
    tried = [
        (_held_out_f1(items, examples, parts, units, (pair, settings.iterations)), pair)
        for pair in settings.penalties
    ]
    f1, chosen = max(tried, key=lambda entry: entry[0])
    return chosen, f"L1 {chosen[0]:g}, L2 {chosen[1]:g}; {CV_PARTS}-fold F1 {f1:.4f}"


def train(
    examples: Sequence[_Example], penalties: tuple[float, float], iterations: int, path: Path
) -> int:
    """Train by L-BFGS (the same input gives the same bytes); return the number of weights."""
    suite: Any = import_module("pycrfsuite")
    trainer = suite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params({"c1": penalties[0], "c2": penalties[1], "max_iterations": iterations})
    for example in examples:
        trainer.append(example.described, example.tags)
    trainer.train(str(path))
    return _weights(path)


def _held_out_f1(
    items: Sequence[Item],
    examples: Sequence[_Example],
    parts: Sequence[int],
    units: Units,
    how: tuple[tuple[float, float], int],
) -> float:
    """Return F1 of exact spans, each item tagged by a model that was not trained on it."""
    right = asked = said = 0
    for held_out in range(CV_PARTS):
        seen = [one for one, part in zip(examples, parts, strict=True) if part != held_out]
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / MODEL
            train(seen, how[0], how[1], path)
            tagger = _open(path)
            for item, example, part in zip(items, examples, parts, strict=True):
                if part == held_out:
                    tags = tagger.tag(example.described)
                    found = set(spans_of(tags, places(item.text, units)))
                    expected = set(parse_spans(item.label))
                    right += len(found & expected)
                    asked += len(expected)
                    said += len(found)
            tagger.close()
    return 2 * right / max(1, asked + said)


def _open(path: Path) -> Any:
    suite: Any = import_module("pycrfsuite")
    tagger = suite.Tagger()
    tagger.open(str(path))
    return tagger


def _weights(path: Path) -> int:
    """Return how many weights a model has (CRFsuite's format, crf1d_model.c).

    Byte 28 of the header says where the chunk of features begins, whose third number counts them.
    """
    data = path.read_bytes()
    chunk = int.from_bytes(data[28:32], "little")
    return int.from_bytes(data[chunk + 8 : chunk + 12], "little")
