"""Quantise a network of the session `array` to int8, ranges taken from train items of each fold."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from steelyard.api import BuildReport, BuildRequest, Item, TrainingSet
from steelyard.arrays import Arrays
from steelyard.errors import PrepareError
from steelyard.recipes import options, sampling, static_int8

KNOWN = ("items", "keep", "keep_input", "seed")
REPORT = "build.json"
LAYERS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU"})


class ArrayInt8:
    """Writes the int8 twin of each fold of its base; nodes named in `keep` stay fp32.

    With `keep_input` so does all that no layer with weights stands before.
    """

    version = 1
    trains = True
    tools: tuple[str, ...] = static_int8.TOOLS

    def refuse(self, request: BuildRequest) -> str | None:
        """Say which package, base, task or option is wrong, or return None."""
        if request.base is None:
            return "recipe 'array-int8' needs a network; name its stage as `base`"
        if request.arrays is None:
            return "recipe 'array-int8' takes ranges from arrays: its task must have them"
        return (
            options.missing(static_int8.PACKAGES)
            or options.without_task(request, "array-int8")
            or options.unknown(request.options, KNOWN)
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Quantise the folds; say of parameters and labels what the base says."""
        training = options.training(request, "array-int8")
        if request.base is None or request.arrays is None:
            raise PrepareError("recipe 'array-int8' needs a network and arrays")
        arrays = Arrays(request.arrays)
        limit = options.read(request.options, "items", 200)
        seed = options.read(request.options, "seed", 0)
        keep = options.read(request.options, "keep", list[str]())
        keep_input = options.read(request.options, "keep_input", default=False)
        for number in range(training.folds):
            items = sampling.stratified(training.train_items(number), limit, seed)
            base = request.base / f"fold-{number}"
            early = before_layers(base) if keep_input else []
            _fold(base, items, arrays, out / f"fold-{number}", [*keep, *early])
        return _report(request.base, training, f"ranges of at most {limit} train items a fold")


def _fold(
    base: Path, items: Sequence[Item], arrays: Arrays, folder: Path, keep: Sequence[str]
) -> None:
    from steelyard.backends.ort.array_input import FACTS, GRAPH, Facts

    facts = msgspec.json.decode((base / FACTS).read_bytes(), type=Facts)
    folder.mkdir()
    static_int8.quantise(base / GRAPH, folder / GRAPH, _inputs(facts, items, arrays), keep)
    shutil.copyfile(base / FACTS, folder / FACTS)


def before_layers(base: Path) -> list[str]:
    """Return the names of the nodes of a network that no layer with weights stands before.

    They bring an input into reach, by a logarithm or by taking its deviation out: in 8 bits, what
    they are made for is lost before they see it.
    """
    import onnx

    from steelyard.backends.ort.array_input import GRAPH

    behind: set[str] = set()
    before: list[str] = []
    for node in onnx.load(str(base / GRAPH), load_external_data=False).graph.node:
        if node.op_type in LAYERS or behind.intersection(node.input):
            behind.update(node.output)
        elif node.name:
            before.append(node.name)
    return before


def _inputs(facts: Any, items: Sequence[Item], arrays: Arrays) -> Iterator[dict[str, Any]]:
    """Yield what the session would give the network, one item at a time."""
    from steelyard.backends.ort.array_input import Preparation

    prepare = Preparation(facts)
    for item in items:
        if item.array is not None:
            yield {facts.input: prepare(arrays[item.array.row])}


def _report(base: Path, training: TrainingSet, note: str) -> BuildReport:
    try:
        made = msgspec.json.decode((base / REPORT).read_bytes(), type=BuildReport)
    except (OSError, msgspec.MsgspecError) as error:
        raise PrepareError(f"task {training.task}: its network's report: {error}") from error
    return BuildReport(
        parameters=made.parameters,
        labelled_items=made.labelled_items,
        notes=(*made.notes, f"int8: {note}"),
    )
