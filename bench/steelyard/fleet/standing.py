"""How one device of a fleet run stands."""

from __future__ import annotations

from typing import Literal

State = Literal["expected", "enrolling", "ready", "leaving", "away", "done", "given up"]
OVER: frozenset[State] = frozenset({"done", "given up"})


class Standing:
    """What is known of a device: its state since when, its cell under way, what is left."""

    def __init__(self, label: str, now: float) -> None:
        self.label = label
        self.state: State = "expected"
        self.since = now
        self.cell: str | None = None
        self.queue: list[str] = []
        self.done = 0
        self.total = 0
        self.tries: dict[str, int] = {}
        self.unfinished: list[tuple[str, str]] = []
        self.given_up: str | None = None
        self.sent_bytes = 0
        self.tries_of_bundle = 0

    def enter(self, state: State, now: float) -> None:
        """Take a state."""
        self.state, self.since = state, now

    @property
    def over(self) -> bool:
        """Whether nothing more is expected of it."""
        return self.state in OVER

    def take(self) -> str | None:
        """Take the next cell in hand, if there is one."""
        self.cell = self.queue.pop(0) if self.queue else None
        return self.cell

    def put_back(self) -> str | None:
        """Return the cell that was in hand, which is the next one again."""
        cell, self.cell = self.cell, None
        if cell is not None:
            self.queue.insert(0, cell)
        return cell

    def count(self, cell: str, reason: str, most: int) -> bool:
        """Count a try that ended without a record; return whether it was the last."""
        self.tries[cell] = self.tries.get(cell, 0) + 1
        if self.tries[cell] < most:
            return False
        self.unfinished.append((cell, f"{reason}, {self.tries[cell]} times"))
        self.queue = [one for one in self.queue if one != cell]
        return True
