"""What stands in a column of times: ISO 8601, or a number."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from typing import NamedTuple


class Moment(NamedTuple):
    """A place in time. `dated`: seconds since 1970; else a number in whatever the file counts."""

    dated: bool
    value: float


def moment(cell: str) -> Moment | None:
    """Return the moment that a cell names, or None; a date without a zone counts as UTC.

    12/01/2024 is refused: it is two different days in two countries.
    """
    said = cell.strip()
    try:
        number = float(said)
    except ValueError:
        return _dated(said)
    return Moment(dated=False, value=number) if math.isfinite(number) else None


def _dated(said: str) -> Moment | None:
    # Python 3.10 does not read the Z that 3.11 does.
    iso = said[:-1] + "+00:00" if said.endswith(("Z", "z")) else said
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=timezone.utc)
    return Moment(dated=True, value=when.timestamp())
