"""What a check says: one line each, and how it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

# note: not as expected, and no damage. differs: this machine's cache holds another version, which
# may be the wrong one. unchecked: there was nothing to check it against.
Status = Literal["ok", "note", "differs", "unchecked", "wrong"]


class Line(Struct, frozen=True, kw_only=True):
    """One finding: what was looked at, then what was found; how many scores or calls it is of."""

    status: Status
    text: str
    scores: int = 0
    calls: int = 0


def ok(text: str, *, scores: int = 0, calls: int = 0) -> Line:
    """Say what was checked and is as it should be."""
    return Line(status="ok", text=text, scores=scores, calls=calls)


def note(text: str) -> Line:
    """Say what differs without being damaged."""
    return Line(status="note", text=text)


def differs(text: str) -> Line:
    """Say what is not as in this machine's cache, which may be the one that is wrong."""
    return Line(status="differs", text=text)


def unchecked(text: str) -> Line:
    """Say what could not be checked, and why."""
    return Line(status="unchecked", text=text)


def wrong(text: str) -> Line:
    """Say what is not as it was recorded."""
    return Line(status="wrong", text=text)


def counted(number: int, noun: str) -> str:
    """Return `1 cell`, `2,000 cells`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def conclusion(lines: Sequence[Line]) -> str:
    """Say in one line what all the findings come to."""
    wrongs = sum(line.status == "wrong" for line in lines)
    if wrongs:
        return "1 thing is wrong." if wrongs == 1 else f"{wrongs:,} things are wrong."
    scores, calls = sum(line.scores for line in lines), sum(line.calls for line in lines)
    done = f"{counted(scores, 'score')} recomputed, {counted(calls, 'call')} consistent"
    return f"Nothing is wrong: {'; '.join([done, *_open(lines)])}."


def _open(lines: Sequence[Line]) -> list[str]:
    """Name what is neither wrong nor found to be right."""
    other = sum(line.status == "differs" for line in lines)
    missed = sum(line.status == "unchecked" for line in lines)
    verb = "differs" if other == 1 else "differ"
    return [
        *([f"{counted(other, 'thing')} {verb} from this machine's cache"] if other else []),
        *([f"{counted(missed, 'thing')} could not be checked here"] if missed else []),
    ]
