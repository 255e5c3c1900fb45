"""Divide and sample train items, the same way every time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256

from steelyard.api import Item


def stratified(items: Sequence[Item], limit: int, seed: int = 0) -> list[Item]:
    """Return at most `limit` items, in proportion to their labels; each label's first survives.

    An item's key is its rank within its label over the label's size: the smallest keys are a
    proportional sample of any size.
    """
    if len(items) <= limit:
        return list(items)
    keyed: list[tuple[float, str, Item]] = []
    for members in _by_label(items).values():
        ranked = sorted(members, key=lambda item: _draw(item.id, seed))
        keyed.extend(
            (rank / len(ranked), _draw(item.id, seed), item) for rank, item in enumerate(ranked)
        )
    keyed.sort(key=lambda entry: entry[:2])
    chosen = {entry[2].id for entry in keyed[:limit]}
    return [item for item in items if item.id in chosen]


def deal(items: Sequence[Item], parts: int, seed: int = 0) -> list[int]:
    """Return the part of each item: groups stay together, labels are spread evenly."""
    leaders: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        leaders[item.group or item.id].append(item)
    by_label: dict[str, list[str]] = defaultdict(list)
    for name, members in leaders.items():
        by_label[members[0].label].append(name)
    part: dict[str, int] = {}
    for label in sorted(by_label):
        for name in sorted(by_label[label], key=lambda name: _draw(name, seed)):
            part[name] = len(part) % parts
    return [part[item.group or item.id] for item in items]


def _by_label(items: Sequence[Item]) -> dict[str, list[Item]]:
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        groups[item.label].append(item)
    return groups


def _draw(name: str, seed: int) -> str:
    return sha256(f"{seed}:{name}".encode()).hexdigest()
