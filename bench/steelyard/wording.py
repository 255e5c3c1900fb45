"""Match the label names of one source with those of another, whatever their case and dashes."""

from __future__ import annotations

import re
from collections.abc import Sequence

_BETWEEN = re.compile(r"[\s_-]+")


def match(made: Sequence[str], wanted: Sequence[tuple[str, ...]]) -> tuple[int, ...] | None:
    """Return where each wanted label stands in `made`; None unless they are the same labels.

    A wanted label has several names, such as its id and its words; any of them will do, and
    none may mean two.
    """
    places: dict[str, list[int]] = {}
    for place, name in enumerate(made):
        places.setdefault(plain(name), []).append(place)
    found = []
    for names in wanted:
        at = {place for name in names for place in places.get(plain(name), ())}
        if len(at) != 1:
            return None
        found.append(at.pop())
    return tuple(found) if sorted(found) == list(range(len(made))) else None


def plain(name: str) -> str:
    """Return a name without case, dashes and underscores: `Card_Lost` is `card lost`."""
    return _BETWEEN.sub(" ", name).strip().casefold()
