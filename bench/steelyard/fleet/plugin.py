"""What makes a Dask worker a device."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from distributed import WorkerPlugin

from steelyard.errors import FleetError
from steelyard.fleet.messages import Answer, Request
from steelyard.fleet.tasks import PLUGIN, Answering


class DevicePlugin(WorkerPlugin):  # type: ignore[misc]  # Dask takes nothing else
    """Puts a device, which outlives it, into a Dask worker."""

    name = PLUGIN

    def __init__(self, device: Answering) -> None:
        self._device = device
        self._ending: Future[Any] = Future()

    def answer(self, request: Request) -> Answer:
        """Return the device's answer; raise FleetError where the worker ends before it comes."""
        answer = self._device.submit(request)
        wait([answer, self._ending], return_when=FIRST_COMPLETED)
        if not answer.done():
            raise FleetError("the worker left the fleet; the device goes on")
        return answer.result()

    def teardown(self, worker: Any) -> None:  # noqa: ARG002 - Dask's own form
        """Let go of who waits for the device: Dask waits for its threads."""
        if not self._ending.done():
            self._ending.set_result(None)
