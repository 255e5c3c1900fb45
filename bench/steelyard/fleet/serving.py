"""The scheduler of a fleet: Dask's own, told to run nothing twice and to hear nobody unknown."""

from __future__ import annotations

import asyncio
import importlib.util
import signal
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from steelyard.fleet import addresses, certificates, files, quiet
from steelyard.fleet.addresses import Place

Say = Callable[[str], None]


class Serving(Struct, frozen=True, kw_only=True):
    """How to serve. `certificates` None: without TLS. `lost_after_s`: a silent device is lost.

    `dashboard` is a port on the loopback, None for no page.
    """

    place: Place
    certificates: Path | None
    lost_after_s: float = 60.0
    dashboard: int | None = 8787


def serve(how: Serving, started: Say, say: Say) -> None:
    """Serve until a signal; `started` is told the address. Raises Refusal for an open place."""
    addresses.check(how.place, "listening on", how.certificates)
    quiet.settle()
    files.allow_many()
    asyncio.run(_serve(how, started, say))


async def _serve(how: Serving, started: Say, say: Say) -> None:
    from distributed import Scheduler

    page = how.dashboard is not None and importlib.util.find_spec("bokeh") is not None
    if how.dashboard is not None and not page:
        say("no dashboard: pip install steelyard[dashboard]")
    own = how.certificates
    stopped = stopping()
    async with Scheduler(
        host=how.place.host,
        port=how.place.port,
        protocol="tcp" if own is None else "tls",
        security=None if own is None else certificates.security(own, certificates.SCHEDULER),
        dashboard=page,
        # Dask's page asks nobody who he is.
        dashboard_address=f"127.0.0.1:{how.dashboard or 0}",
        worker_ttl=how.lost_after_s,
        allowed_failures=0,
    ) as scheduler:
        started(scheduler.address)
        if page:
            port = scheduler.http_server.port
            say(f"dashboard: http://127.0.0.1:{port}/status (from elsewhere: ssh -L)")
        await stopped.wait()


def stopping() -> asyncio.Event:
    """Return an event that Ctrl-C and SIGTERM set."""
    event = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, event.set)
    return event
