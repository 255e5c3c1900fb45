"""Make the baseline of span tasks: the strings that train items mark, each with its usual type."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec

from steelyard.api import BuildReport, BuildRequest, Item
from steelyard.errors import PrepareError
from steelyard.notation import parse_spans
from steelyard.recipes import options
from steelyard.recipes.span_tags import Units, places, units_of

FILE = "lookup.json"
# A string that is not usually marked, such as the name "Will".
UNMARKED = ""

Key = tuple[str, ...]


class SpanLookup:
    """Writes `lookup.json`: strings and their most frequent type, whether unmarked counts too."""

    version = 1
    trains = True
    tools: tuple[str, ...] = ()

    def refuse(self, request: BuildRequest) -> str | None:
        """Say what is missing or superfluous, or return None."""
        return options.without_task(request, "span-lookup") or options.unknown(request.options, ())

    def build(self, request: BuildRequest, out: Path) -> BuildReport:
        """Write one folder a fold."""
        training = options.training(request, "span-lookup")
        sizes, known = [], 0
        for fold in range(training.folds):
            items = training.train_items(fold)
            if not items:
                raise PrepareError(f"task {training.task}: no train items; check the card's split")
            units = units_of(items)
            kinds = usual_types(items, units)
            folder = out / f"fold-{fold}"
            folder.mkdir()
            (folder / FILE).write_bytes(_encoded(kinds, items, units))
            sizes.append(len(items))
            known = max(known, len(kinds))
        return BuildReport(parameters=known, labelled_items=max(sizes))


def usual_types(items: Sequence[Item], units: Units) -> dict[Key, str]:
    """Return each marked string (as its units) with the type that it has most often.

    Strings that stand unmarked more often than under any type are left out.
    """
    marked: dict[Key, Counter[str]] = defaultdict(Counter)
    for item in items:
        for start, end, kind in parse_spans(item.label):
            marked[_key(item.text[start:end], units)][kind] += 1
    occurrences = _occurrences(items, units, set(marked))
    for key, kinds in marked.items():
        kinds[UNMARKED] = occurrences[key] - kinds.total()
    usual = {
        key: min(kinds, key=lambda kind: (-kinds[kind], kind)) for key, kinds in marked.items()
    }
    return {key: kind for key, kind in usual.items() if kind != UNMARKED}


def _occurrences(items: Sequence[Item], units: Units, keys: set[Key]) -> Counter[Key]:
    """Count how often each string stands in the texts."""
    longest = max(map(len, keys), default=0)
    found: Counter[Key] = Counter()
    for item in items:
        words = _key(item.text, units)
        for first in range(len(words)):
            for last in range(first + 1, min(first + longest, len(words)) + 1):
                if words[first:last] in keys:
                    found[words[first:last]] += 1
    return found


def _key(text: str, units: Units) -> Key:
    return tuple(text[start:end] for start, end in places(text, units))


def _encoded(kinds: dict[Key, str], items: Sequence[Item], units: Units) -> bytes:
    """Return the file; where every token is marked, an unknown one gets the most frequent type."""
    every = Counter(kind for item in items for _, _, kind in parse_spans(item.label))
    usual = min(every, key=lambda kind: (-every[kind], kind)) if units == "tokens" else None
    strings = sorted([list(key), kind] for key, kind in kinds.items())
    return msgspec.json.encode({"units": units, "otherwise": usual, "strings": strings})
