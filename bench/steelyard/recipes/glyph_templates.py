"""Learn what letters look like: the mean glyph of each letter in each group of train lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np

from steelyard.api import BuildReport, BuildRequest, Item
from steelyard.arrays import Arrays
from steelyard.errors import PrepareError
from steelyard.recipes import options
from steelyard.recipes.glyphs import Glyphs, Vectors, cut

LETTERS, TEMPLATES = "letters.json", "templates.npy"


class GlyphTemplates:
    """Writes a template a letter and group, from lines that fall into as many glyphs as letters."""

    version = 1
    trains = True
    tools: tuple[str, ...] = ("numpy",)

    def refuse(self, request: BuildRequest) -> str | None:
        """Say what is missing, or return None."""
        return options.without_task(request, "glyph-templates") or options.unknown(
            request.options, ()
        )

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Write one folder a fold."""
        training = options.training(request, "glyph-templates")
        if request.arrays is None:
            raise PrepareError(f"task {training.task}: recipe 'glyph-templates' learns of pictures")
        arrays, sizes, numbers = Arrays(request.arrays), [], []
        for fold in range(training.folds):
            items = training.train_items(fold)
            folder = out / f"fold-{fold}"
            folder.mkdir()
            numbers.append(_write(folder, learned(_cut(items, arrays)), training.task))
            sizes.append(len(items))
        return BuildReport(parameters=max(numbers), labelled_items=max(sizes))


def _cut(items: Iterable[Item], arrays: Arrays) -> Iterable[tuple[str, str, Glyphs]]:
    for item in items:
        if item.array is not None:
            yield item.group or "", item.label, cut(arrays[item.array.row])


def learned(lines: Iterable[tuple[str, str, Glyphs]]) -> dict[tuple[str, str], Vectors]:
    """Return the mean glyph of each letter in each group, of lines that are cut where they ought.

    A line counts if it fell into as many glyphs as it has letters: the first is then the first.
    """
    seen: dict[tuple[str, str], list[Vectors]] = defaultdict(list)
    for group, text, glyphs in lines:
        letters = text.replace(" ", "")
        if len(letters) == len(glyphs.vectors):
            for letter, vector in zip(letters, glyphs.vectors, strict=True):
                seen[letter, group].append(vector)
    return {key: np.mean(seen[key], axis=0, dtype=np.float64).astype("<f4") for key in sorted(seen)}


def _write(folder: Path, templates: dict[tuple[str, str], Vectors], task: str) -> int:
    """Keep templates; return how many numbers they are."""
    if not templates:
        raise PrepareError(f"task {task}: no train line falls into as many glyphs as letters")
    table = np.stack(list(templates.values()))
    np.save(folder / TEMPLATES, table, allow_pickle=False)
    (folder / LETTERS).write_bytes(msgspec.json.encode([letter for letter, _ in templates]))
    return int(table.size)
