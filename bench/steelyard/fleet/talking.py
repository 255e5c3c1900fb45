"""What a run of a fleet talks with: the way to the devices, who is told, the rules it keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from msgspec import Struct

from steelyard.fleet.messages import Answer, Request
from steelyard.fleet.standing import Standing
from steelyard.record import Record

Clock = Callable[[], float]


class SchedulerLost(Exception):  # noqa: N818 - a state that passes, or not
    """The scheduler does not answer."""


class Event(Struct, frozen=True, kw_only=True):
    """What came of a request: an answer, or that the device was lost, or a fault and why."""

    label: str
    kind: Literal["answer", "lost", "fault"]
    answer: Answer | None = None
    reason: str = ""


class Link(Protocol):
    """The way to the devices; raises SchedulerLost where it is cut."""

    def present(self) -> frozenset[str]:
        """Return the labels of the devices that the scheduler hears of."""
        ...

    def send(self, label: str, request: Request) -> None:
        """Ask a device, which has one thing to do at a time."""
        ...

    def drop(self, label: str) -> None:
        """Do not wait for a device's answer any more."""
        ...

    def events(self, timeout_s: float) -> list[Event]:
        """Return what came, at once if something did, else after a time-out."""
        ...

    def reconnect(self, timeout_s: float) -> bool:
        """Try to reach the scheduler again; return whether it answers."""
        ...


class Observer(Protocol):
    """Who is told what happens."""

    def say(self, message: str) -> None:
        """Tell one line."""
        ...

    def finished(self, label: str, record: Record) -> None:
        """Tell of a record that is home."""
        ...

    def show(self, standings: tuple[Standing, ...]) -> None:
        """Show how all devices stand."""
        ...


class Rules(Struct, frozen=True, kw_only=True):
    """Which devices take part (all that come, where none is named), and how patient to be.

    `wait_s` is how long a device, or the scheduler, may be away. A cell that ended `tries` times
    without a record is not tried again.
    """

    devices: tuple[str, ...] = ()
    wait_s: float = 300.0
    tries: int = 3
    poll_s: float = 1.0


class Unfinished(Struct, frozen=True, kw_only=True):
    """A cell that has no record, or a device that has none at all (`cell` None), and why."""

    label: str
    cell: str | None
    reason: str
