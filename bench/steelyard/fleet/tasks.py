"""What Dask calls: on a worker a request becomes an answer, on the scheduler a list of devices."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol, cast

import msgspec
from msgspec import Struct

from steelyard.errors import FleetError
from steelyard.fleet import messages
from steelyard.fleet.messages import Answer, Request

if TYPE_CHECKING:
    from distributed import Scheduler

PLUGIN = "steelyard-device"


class Answering(Protocol):
    """A device: what stands in for one in a simulation is one too."""

    def submit(self, request: Request) -> Future[Answer]:
        """Begin what is asked, after what was asked before."""
        ...


class Present(Struct, frozen=True, kw_only=True):
    """A device that the scheduler hears of: where it is, since when it was silent, what it does."""

    label: str
    address: str
    silent_s: float
    under_way: tuple[str, ...] = ()
    busy_s: float | None = None


def ask(request: bytes) -> bytes:
    """Answer a request on the device that this worker is."""
    from distributed import get_worker

    answering: Callable[[Request], Answer] | None
    answering = getattr(get_worker().plugins.get(PLUGIN), "answer", None)
    if answering is None:
        raise FleetError("this Dask worker is no device; start it with: steelyard fleet worker")
    return messages.pack(answering(messages.request(request)))


def present(dask_scheduler: Scheduler) -> bytes:
    """Return the devices that the scheduler has, as JSON. To be run on the scheduler."""
    now = time.time()
    found = [
        Present(
            label=str(one.name),
            address=one.address,
            silent_s=max(0.0, now - one.last_seen),
            under_way=tuple(sorted(_named(task.key) for task in one.processing)),
            busy_s=max(one.executing.values(), default=None),
        )
        for one in dask_scheduler.workers.values()
    ]
    return msgspec.json.encode(found)


def labels(dask_scheduler: Scheduler) -> list[str]:
    """Return the labels of the devices that the scheduler has. To be run on the scheduler."""
    return [str(one.name) for one in dask_scheduler.workers.values()]


def _named(key: object) -> str:
    """Return a task's key as one text; that of a request is `kind|label|cell|number`."""
    parts = cast("tuple[object, ...]", key) if isinstance(key, tuple) else (key,)
    return "|".join(str(part) for part in parts)
