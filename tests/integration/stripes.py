"""Pictures of stripes, and the road from them to a recipe's answers: what two test files share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from steelyard import arrays
from steelyard.api import (
    Answer,
    ArrayRef,
    BuildReport,
    BuildRequest,
    Item,
    Label,
    SessionSpec,
    TrainingSet,
)
from steelyard.backends.ort import OnnxRuntime

NAMES = ("down", "across", "both")


def picture(label: str, seed: int, side: int) -> Any:
    """Return noise with stripes down, across, or both."""
    draw = np.random.default_rng(seed)
    made = draw.integers(0, 120, (side, side))
    at = int(draw.integers(2, side - 4))
    if label in {"down", "both"}:
        made[:, at : at + 2] = 250
    if label in {"across", "both"}:
        made[at : at + 2] = 250
    return made.astype(np.uint8)


def task(folder: Path, n: int = 60, side: int = 24, labels: tuple[str, ...] = NAMES) -> TrainingSet:
    """Return a task of n train and n test pictures; they are kept in `folder`."""
    said = [labels[number % len(labels)] for number in range(2 * n)]
    shown = [picture(label, seed, side) for seed, label in enumerate(said)]
    arrays.write(folder, shown)
    items = tuple(
        Item(
            id=f"i{row}",
            label=label,
            array=ArrayRef(row=row, sha256=arrays.sha256(shown[row])),
            fold=None if row < n else 0,
        )
        for row, label in enumerate(said)
    )
    names = tuple(Label(id=name, words=name) for name in labels)
    return TrainingSet(task="stripes", labels=names, folds=1, items=items)


def build(
    recipe: Any,
    training: TrainingSet,
    folder: Path,
    files: dict[str, Path] | None = None,
    base: Path | None = None,
    **options: Any,
) -> tuple[BuildReport, Path]:
    out = folder / f"out{len(list(folder.iterdir()))}"
    out.mkdir()
    request = BuildRequest(
        files=files or {},
        options=options,
        threads=2,
        base=base,
        training=training,
        arrays=folder,
    )
    assert recipe.refuse(request) is None
    return recipe.build(request, out), out / "fold-0"


def opened(kind: str, training: TrainingSet, folder: Path) -> Any:
    spec = SessionSpec(
        artifact=str(folder), session=kind, threads=1, labels=training.labels, options={}
    )
    assert OnnxRuntime().refuse(spec) is None
    return OnnxRuntime().open(spec)


def answers(session: Any, training: TrainingSet, folder: Path) -> list[tuple[Item, Answer]]:
    rows = arrays.Arrays(folder)
    return [
        (item, session.decode(session.infer(session.encode(rows[item.array.row]))))
        for item in training.items
        if item.fold == 0 and item.array
    ]


def scores(said: Iterable[Answer]) -> Any:
    """Return the scores of answers, a row each."""
    return np.array([answer.scores for answer in said])
