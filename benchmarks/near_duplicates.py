"""F1 of product-match without the test pairs that a train pair nearly repeats.

    python -m benchmarks.near_duplicates results/RUN

Reads the predictions of a run and the task's items from the cache. A test pair is a near-duplicate
where both of its titles, whichever stands first, share 80 % of their words (Jaccard's index of the
sets of words) with the titles of one train pair.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from steelyard import catalog, store
from steelyard.api import Item
from steelyard.prepare import items
from steelyard.prepare.cache import Cache
from steelyard.progress import Silent

TASK, POSITIVE, ALIKE = "product-match", "match", 0.8

Words = frozenset[str]
Pair = tuple[Words, Words]


def near_duplicates(found: Iterable[Item], alike: float = ALIKE) -> frozenset[str]:
    """Return the ids of the test pairs that a train pair nearly repeats."""
    known = list(found)
    train = [pair(item.text) for item in known if item.fold is None]
    return frozenset(
        item.id
        for item in known
        if item.fold is not None and any(near(pair(item.text), other, alike) for other in train)
    )


def pair(text: str) -> Pair:
    """Return the sets of words of a pair's two titles."""
    one, _, two = text.partition("\n")
    return words(one), words(two)


def words(title: str) -> Words:
    """Return the words of a title in lower case."""
    return frozenset(re.findall(r"\w+", title.lower()))


def near(ours: Pair, theirs: Pair, alike: float) -> bool:
    """Tell whether two pairs are alike in both titles, in one order or the other."""
    (a, b), (c, d) = ours, theirs
    straight = jaccard(a, c) >= alike and jaccard(b, d) >= alike
    return straight or (jaccard(a, d) >= alike and jaccard(b, c) >= alike)


def jaccard(ours: Words, theirs: Words) -> float:
    """Return the share of words that two sets have in common."""
    every = ours | theirs
    return len(ours & theirs) / len(every) if every else 1.0


def f1(marks: Sequence[tuple[str, str]]) -> float:
    """Return F1 of the positive label from expected and answered labels."""
    right = sum(truth == said == POSITIVE for truth, said in marks)
    either = sum((truth == POSITIVE) + (said == POSITIVE) for truth, said in marks)
    return 2 * right / either if either else 0.0


def main() -> None:
    """Print a line a cell: F1 of all pairs, F1 without the near-duplicates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    run = parser.parse_args().run
    found = items.load(catalog.load().task(TASK), Cache.default(), Silent()).items
    near_ones = near_duplicates(found)
    tested = sum(item.fold is not None for item in found)
    print(f"{len(near_ones)} of {tested} test pairs are near-duplicates of a train pair")
    records = [record for file in store.read_runs(run) for record in file.records]
    for record in records:
        if record.cell.task == TASK and record.predictions_sha256 is not None:
            said = store.read_predictions(run, record.predictions_sha256)
            every = [(one.expected, one.answer) for one in said]
            apart = [(one.expected, one.answer) for one in said if one.id not in near_ones]
            print(f"{record.cell.id}: F1 {f1(every):.3f}, without {f1(apart):.3f} (n={len(apart)})")


if __name__ == "__main__":
    main()
