"""The way to the devices over a Dask scheduler."""

from __future__ import annotations

import contextlib
import queue
import uuid
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from steelyard.errors import FleetError, Refusal
from steelyard.fleet import addresses, certificates, labels, messages, quiet, tasks
from steelyard.fleet.addresses import Place
from steelyard.fleet.faults import CUT, FOREIGN, foreign
from steelyard.fleet.messages import Order, Request
from steelyard.fleet.talking import Event, SchedulerLost

if TYPE_CHECKING:
    from distributed import Client

# Typed by Dask for one checker and not for the other.
DaskFuture: TypeAlias = Any
# What a device sent, or what came of it instead.
Came: TypeAlias = "bytes | BaseException"

# Longer than any answer of a scheduler that is alive takes, shorter than a person waits.
ANSWER_S = 10.0


class DaskLink:
    """Sends requests as Dask tasks, each bound to the one worker that is the device."""

    def __init__(self, place: Place, folder: Path | None) -> None:
        self._place = place
        self._folder = folder
        self._client: Client | None = None
        self._futures: dict[str, DaskFuture] = {}
        self._done: queue.SimpleQueue[tuple[str, DaskFuture, Came]] = queue.SimpleQueue()

    def connect(self) -> None:
        """Reach the scheduler; raise FleetError where it does not answer, Refusal without TLS."""
        addresses.check(self._place, "connecting to", self._folder)
        quiet.settle()
        try:
            self._client = self._connected()
        except CUT as error:
            raise self._unreachable(error) from error

    def close(self) -> None:
        """Leave; the devices go on with the cells they are at, and keep them."""
        client, self._client = self._client, None
        self._futures.clear()
        if client is not None:
            with contextlib.suppress(*CUT):
                client.close(timeout=2)

    def present(self) -> frozenset[str]:
        """Return the labels of the devices that the scheduler hears of."""
        found: list[str] = self._ask_scheduler(tasks.labels)
        return frozenset(found)

    def roster(self) -> bytes:
        """Return what the scheduler knows of its devices, as `tasks.present` says it."""
        found: bytes = self._ask_scheduler(tasks.present)
        return found

    def send(self, label: str, request: Request) -> None:
        """Ask a device; Dask gives the task to the one worker that has the device's resource."""
        kind = type(request).__name__.lower()
        cell = request.cell if isinstance(request, Order) else ""
        future = self._alive().submit(
            tasks.ask,
            messages.pack(request),
            # Dask keeps figures for ever by the first part of a key: one of few, not one a cell.
            key=(kind, label, cell, uuid.uuid4().hex),
            resources={labels.resource(label): 1},
            pure=False,
            retries=0,
        )
        self._futures[label] = future
        future.add_done_callback(partial(self._arrived, label))

    def drop(self, label: str) -> None:
        """Do not wait for a device's answer any more."""
        self._futures.pop(label, None)

    def events(self, timeout_s: float) -> list[Event]:
        """Return what came; wait for the first."""
        found: list[Event] = []
        with contextlib.suppress(queue.Empty):
            came = self._done.get(timeout=timeout_s)
            while True:
                event = self._event(*came)
                found += [] if event is None else [event]
                came = self._done.get_nowait()
        return found

    def reconnect(self, timeout_s: float) -> bool:
        """Try once to reach the scheduler."""
        self.close()
        try:
            self._client = self._connected(timeout_s)
        except CUT:
            return False
        return True

    def _connected(self, timeout_s: float = ANSWER_S) -> Client:
        from distributed import Client

        own = self._folder
        return Client(
            self._place.url(secure=own is not None),
            security=None if own is None else certificates.security(own, certificates.CLIENT),
            timeout=timeout_s,
            set_as_default=False,
        )

    def _alive(self) -> Client:
        if self._client is None or self._client.status != "running":
            raise SchedulerLost("the connection ended")
        return self._client

    def _ask_scheduler(self, function: Any) -> Any:
        client = self._alive()
        try:
            return client.sync(
                client._run_on_scheduler,  # noqa: SLF001 - the public one has no time-out
                function,
                callback_timeout=ANSWER_S,
            )
        except CUT as error:
            raise SchedulerLost(str(error) or type(error).__name__) from error

    def _arrived(self, label: str, future: DaskFuture) -> None:
        """Fetch what a device has ready; Dask calls this in a thread of its own."""
        client: Any = self._client
        if client is not None and self._waited_for(label, future):
            client.loop.add_callback(self._fetch, client, label, future)

    async def _fetch(self, client: Any, label: str, future: DaskFuture) -> None:
        """Hand over what a device sent once it is here: one that is cut off holds up no other."""
        came: Came
        try:
            came = await client.gather(future, asynchronous=True)
        except Exception as error:  # noqa: BLE001 - whatever the device's side raised
            came = error
        self._done.put((label, future, came))

    def _event(self, label: str, future: DaskFuture, came: Came) -> Event | None:
        """Return what came of a request; None of one that nobody waits for any more."""
        if not self._waited_for(label, future) or future.status == "cancelled":
            return None  # cancelled with the connection, which the next call notices
        if isinstance(came, OSError) and future.status == "finished":
            raise SchedulerLost(str(came)) from came
        del self._futures[label]
        if isinstance(came, BaseException):
            return _faulty(label, came)
        try:
            return Event(label=label, kind="answer", answer=messages.answer(came))
        except FleetError as unread:
            return Event(label=label, kind="fault", reason=str(unread))

    def _waited_for(self, label: str, future: DaskFuture) -> bool:
        return self._futures.get(label) is future

    def _unreachable(self, error: BaseException) -> FleetError | Refusal:
        if foreign(error):
            return Refusal(FOREIGN)
        address = self._place.url(secure=self._folder is not None)
        return FleetError(
            f"{address}: no scheduler answers\ntry: steelyard fleet scheduler --listen HOST"
        )


def _faulty(label: str, error: BaseException) -> Event:
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return Event(label=label, kind="lost")
    return Event(label=label, kind="fault", reason=f"{type(error).__name__}: {error}")
