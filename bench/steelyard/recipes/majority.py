"""Make the majority baseline: the most frequent train label of each fold."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec

from steelyard.api import BuildReport, BuildRequest, Item
from steelyard.errors import PrepareError


class Majority:
    """Writes `answer.json`: the most frequent train label and the share of each label."""

    version = 1
    trains = True
    tools: tuple[str, ...] = ()

    def refuse(self, request: BuildRequest) -> str | None:
        """Say what is missing, or return None."""
        if request.training is None:
            return "recipe 'majority' trains: it needs a task"
        if request.options:
            return f"recipe 'majority' has no options, got {sorted(request.options)}; remove them"
        return None

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Write one folder a fold."""
        training = request.training
        if training is None:
            raise PrepareError("recipe 'majority' trains: it needs a task")
        sizes = []
        for fold in range(training.folds):
            items = training.train_items(fold)
            folder = out / f"fold-{fold}"
            folder.mkdir()
            (folder / "answer.json").write_bytes(_answer(items, training.task))
            sizes.append(len(items))
        return BuildReport(parameters=1, labelled_items=max(sizes))


def _answer(items: tuple[Item, ...], task: str) -> bytes:
    if not items:
        raise PrepareError(f"task {task}: no train items; check the card's split")
    counts = Counter(item.label for item in items)
    # Ties go to the first label in alphabetical order, so that the bytes do not depend on order.
    label = min(counts, key=lambda name: (-counts[name], name))
    scores = {name: counts[name] / len(items) for name in sorted(counts)}
    return msgspec.json.encode({"label": label, "scores": scores}, order="sorted")
