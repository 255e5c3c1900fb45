"""Answers that an artefact gave before to the same items, kept in the cache.

The same artefact, opened the same way by the same packages on the same processor, gives the same
answer; an accuracy pass over a large model takes minutes to find that out again. What is recalled
is still held against the answers of the timed calls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import distributions

import msgspec
from msgspec import Struct

from steelyard import plugins
from steelyard.api import Answer, Item
from steelyard.passes import Passes
from steelyard.prepare.cache import Cache

KIND = "answers"
FILE = "answers.json"


class Memory(Struct, frozen=True, kw_only=True):
    """Where answers are kept, and what they depend on beside the item, by the item's fold."""

    cache: Cache
    keys: tuple[str, ...]

    def recall(self, asked: Sequence[Item]) -> dict[str, Answer]:
        """Return what is known, by the items' ids."""
        known = [self._known(key) for key in self.keys]
        found: dict[str, Answer] = {}
        for item in asked:
            answer = known[self._place(item)].get(content(item))
            if answer is not None:
                found[item.id] = answer
        return found

    def keep(self, asked: Iterable[Item], answers: Mapping[str, Answer]) -> None:
        """Keep the answers to the items asked."""
        by_fold: dict[int, dict[str, Answer]] = {}
        for item in asked:
            by_fold.setdefault(self._place(item), {})[content(item)] = answers[item.id]
        for place, given in by_fold.items():
            encoded = msgspec.json.encode(given, order="sorted")
            # What was asked is part of the name: a later run that asks more adds an entry.
            digest = hashlib.sha256(encoded).hexdigest()[:16]
            with self.cache.build(KIND, f"{self.keys[place]}-{digest}") as out:
                (out / FILE).write_bytes(encoded)

    def _place(self, item: Item) -> int:
        return 0 if len(self.keys) == 1 else item.fold or 0

    def _known(self, key: str) -> dict[str, Answer]:
        known: dict[str, Answer] = {}
        for path in sorted((self.cache.root / KIND).glob(f"{key}-*")):
            entry = self.cache.entry(KIND, path.name)
            if entry is not None:
                known |= msgspec.json.decode((entry / FILE).read_bytes(), type=dict[str, Answer])
        return known


def memory(passes: Passes, cache: Cache, processor: str) -> Memory:
    """Return the memory of a prepared cell. `processor` names the kind of processor it runs on."""
    labels = [label.id for label in passes.planned.task.card.labels]
    variant = passes.planned.variant
    facts = [
        passes.backend,
        plugins.source_sha256(passes.backend),
        environment(),
        processor,
        passes.planned.cell.device,
        passes.artifact.ref.sha256,
        variant.session,
        variant.session_options,
        passes.prompt,
        labels,
    ]
    whole = hashlib.sha256(msgspec.json.encode(facts, order="sorted")).hexdigest()[:32]
    folds = len(passes.artifact.folds)
    return Memory(cache=cache, keys=tuple(f"{whole}-{fold}" for fold in range(folds)))


def content(item: Item) -> str:
    """Return what of an item decides the answer to it."""
    # An item with both may be asked in words: the array alone would not tell.
    asked = f"array {item.array.sha256} {item.text}" if item.array else f"text {item.text}"
    return hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def environment() -> str:
    """Hash the names and versions of all packages that are installed."""
    lines = sorted({f"{one.name}=={one.version}" for one in distributions()})
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
