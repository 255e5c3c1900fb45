"""Margins by device and quantity: what is too much more, and where that comes from."""

from __future__ import annotations

from steelyard.gate.types import Bounds, Quantity
from steelyard.record import Host

# Of the margin. A gate that calls what exceeds the margin itself a regression would find a change
# of just the margin once in a hundred times; simulated, 2 of 5 % is found at the default blocks.
TOLERATED = 0.4

# On a board that does nothing else process medians differ less: 10 blocks and 3 %, elsewhere 5 %.
DEDICATED, ELSEWHERE = 0.03, 0.05
# Peaks of memory differ by pages between processes, not by shares; sensors are good for 1 or 2 %.
MEMORY, ENERGY = 0.05, 0.05
# Bytes on disk are exact: whatever is beyond it is shown.
SIZE = 0.01


def bounds(quantity: Quantity, host: Host, latency: float | None = None) -> Bounds:
    """Return the bounds of a quantity on a machine; `latency` is a margin in place of its own.

    The score has none here: its margin is the task's.
    """
    margins: dict[Quantity, float] = {
        "latency": latency or (DEDICATED if dedicated(host) else ELSEWHERE),
        "memory": MEMORY,
        "energy": ENERGY,
        "size": SIZE,
    }
    margin = margins[quantity]
    return Bounds(tolerated=TOLERATED * margin, margin=margin)


def dedicated(host: Host) -> bool:
    """Tell whether this is a board of its own: not a guest, not emulated."""
    return host.board is not None and host.virtual is None and host.emulated is None
