"""What a check says: one line each, and how it stands."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

# note: not as expected, and no damage. unchecked: there was nothing to check it against.
Status = Literal["ok", "note", "unchecked", "wrong"]


class Line(Struct, frozen=True, kw_only=True):
    """One finding: what was looked at, then what was found."""

    status: Status
    text: str


def ok(text: str) -> Line:
    """Say what was checked and is as it should be."""
    return Line(status="ok", text=text)


def note(text: str) -> Line:
    """Say what differs without being damaged."""
    return Line(status="note", text=text)


def unchecked(text: str) -> Line:
    """Say what could not be checked, and why."""
    return Line(status="unchecked", text=text)


def wrong(text: str) -> Line:
    """Say what is not as it was recorded."""
    return Line(status="wrong", text=text)


def counted(number: int, noun: str) -> str:
    """Return `1 cell`, `2,000 cells`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
