"""What comes from devices, without a scheduler: in the order in which it is here."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

import pytest

from steelyard.errors import FleetError
from steelyard.fleet import messages
from steelyard.fleet.addresses import Place
from steelyard.fleet.link import DaskLink
from steelyard.fleet.messages import Dismissal, Dismissed
from steelyard.fleet.talking import SchedulerLost

pytest.importorskip("distributed")

REQUEST = Dismissal(run="r", bundle_sha256="0" * 64)
ANSWER = messages.pack(Dismissed())


class Never:
    """What a device that is cut off sends."""

    def __await__(self) -> Generator[None, None, bytes]:
        yield
        return b""


class Future:
    """A task that is done, as Dask tells of it."""

    def __init__(self, came: object, status: str) -> None:
        self.came = came
        self.status = status

    def add_done_callback(self, called: Callable[[Future], None]) -> None:
        called(self)


class Client:
    """A client that does at once what it is asked; its loop starts a coroutine and leaves it."""

    def __init__(self, *given: tuple[object, str]) -> None:
        self.loop = self
        self.status = "running"
        self._given = list(given)
        self._begun: list[Coroutine[Any, Any, None]] = []

    def submit(self, *_: object, **__: object) -> Future:
        return Future(*self._given.pop(0))

    def add_callback(
        self, function: Callable[..., Coroutine[Any, Any, None]], *given: object
    ) -> None:
        self._begun.append(function(*given))
        with contextlib.suppress(StopIteration):
            self._begun[-1].send(None)

    def gather(self, future: Future, *, asynchronous: bool) -> Awaitable[object]:
        assert asynchronous
        return _came(future.came)

    def close(self, timeout: float) -> None:
        for one in self._begun:
            one.close()


async def _came(what: object) -> object:
    if isinstance(what, BaseException):
        raise what
    return await what if isinstance(what, Never) else what


def link(monkeypatch: pytest.MonkeyPatch, *given: tuple[object, str]) -> DaskLink:
    monkeypatch.setattr(DaskLink, "_connected", lambda *_: Client(*given))
    made = DaskLink(Place(host="127.0.0.1", port=1), None)
    made.connect()
    return made


def test_a_device_that_finished_and_is_cut_off_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = link(monkeypatch, (Never(), "finished"), (ANSWER, "finished"))
    made.send("cut-off", REQUEST)
    made.send("here", REQUEST)

    (event,) = made.events(0.01)

    assert (event.label, event.answer) == ("here", Dismissed())
    assert made.events(0.01) == []
    made.close()


@pytest.mark.parametrize(
    ("came", "status", "reason"),
    [
        (FleetError("no device"), "error", "FleetError: no device"),
        (OSError("disk full there"), "error", "OSError: disk full there"),
        (b"\xff", "finished", "another steelyard"),
    ],
)
def test_what_went_wrong_on_a_device_is_told(
    monkeypatch: pytest.MonkeyPatch, came: object, status: str, reason: str
) -> None:
    made = link(monkeypatch, (came, status))
    made.send("a", REQUEST)

    (event,) = made.events(0.01)

    assert event.kind == "fault"
    assert reason in event.reason


def test_answers_of_dropped_devices_and_of_ended_connections_are_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = link(monkeypatch, (ANSWER, "finished"), (ANSWER, "cancelled"))
    made.send("dropped", REQUEST)
    made.drop("dropped")
    made.send("cancelled", REQUEST)

    assert made.events(0.01) == []


def test_an_answer_that_the_scheduler_cannot_hand_over_means_that_it_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = link(monkeypatch, (OSError("closed"), "finished"))
    made.send("a", REQUEST)

    with pytest.raises(SchedulerLost, match="closed"):
        made.events(0.01)
