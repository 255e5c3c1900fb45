"""A device joins a fleet: a Dask worker of one label, which joins again whenever it is cut off."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from steelyard.errors import Refusal
from steelyard.fleet import addresses, certificates, labels, quiet
from steelyard.fleet.addresses import Place
from steelyard.fleet.bundles import Shelf
from steelyard.fleet.desk import Desk
from steelyard.fleet.faults import CUT, FOREIGN, causes, foreign, said
from steelyard.fleet.serving import stopping
from steelyard.prepare.cache import Cache

if TYPE_CHECKING:
    from distributed import Worker
    from distributed.security import Security

Say = Callable[[str], None]

REACH_S = 10.0
GONE = "cut off from the scheduler"


class Joining(Struct, frozen=True, kw_only=True):
    """Which device joins which scheduler. `listen` None: at whatever address leads there.

    `bundles` is a folder in which bundles may lie already.
    """

    label: str
    scheduler: Place
    certificates: Path | None
    listen: Place | None = None
    bundles: Path | None = None
    again_s: float = 2.0


def join(how: Joining, cache: Cache, say: Say) -> None:
    """Be a device of the fleet until a signal; a cell under way outlives a lost scheduler."""
    addresses.check(how.scheduler, "connecting to", how.certificates)
    if how.listen is not None:
        addresses.check(how.listen, "listening on", how.certificates)
    quiet.settle()
    home = cache.root / "fleet" / how.label
    desk = Desk(home, cache, Shelf(home / "bundles", how.bundles), say)
    try:
        asyncio.run(_stay(how, desk, say))
    finally:
        desk.close()


async def _stay(how: Joining, desk: Desk, say: Say) -> None:
    stopped = stopping()
    before = ""
    while not stopped.is_set():
        reason = await _once(how, desk, stopped, say)
        if (reason != before or reason == GONE) and not stopped.is_set():
            say(f"{reason}; trying again every {how.again_s:g} s")
        before = reason
        await _first(stopped.wait(), asyncio.sleep(how.again_s))
    say("left the fleet")


def _worker(how: Joining, desk: Desk, folder: str) -> Worker:
    from distributed import Worker

    from steelyard.fleet.plugin import DevicePlugin

    own = how.certificates
    host = how.listen.host if how.listen else ("127.0.0.1" if own is None else None)
    return Worker(
        how.scheduler.url(secure=own is not None),
        # Dask takes no two workers of one name: a device is in the fleet once.
        name=how.label,
        nthreads=1,
        resources={labels.resource(how.label): 1},
        plugins=(DevicePlugin(desk),),
        security=_security(how),
        host=host,
        port=how.listen.port if how.listen else 0,
        memory_limit=0,
        dashboard=False,
        local_directory=folder,
    )


def _security(how: Joining) -> Security | None:
    if how.certificates is None:
        return None
    return certificates.security(how.certificates, certificates.worker_file(how.label))


async def _once(how: Joining, desk: Desk, stopped: asyncio.Event, say: Say) -> str:
    """Be in the fleet until the connection ends or a signal comes; return why it ended."""
    try:
        # A worker would try for ever, and not say why it cannot.
        await _reach(how)
    except CUT as error:
        return _refused(how, error)
    with tempfile.TemporaryDirectory(prefix="steelyard-worker-") as folder:
        worker = _worker(how, desk, folder)
        try:
            start = asyncio.ensure_future(worker.start())
            await _first(start, stopped.wait())
            if start.done():
                start.result()
                say(_joined(how))
                await _first(worker.finished(), stopped.wait())
        except CUT as error:
            return _refused(how, error)
        else:
            return GONE
        finally:
            await worker.close(reason="leaving")


async def _reach(how: Joining) -> None:
    """Connect and hang up."""
    from distributed.comm.core import connect

    secure = _security(how)
    given: Any = secure.get_connection_args("worker") if secure is not None else {}
    url = how.scheduler.url(secure=secure is not None)
    comm = await connect(url, timeout=REACH_S, **given)
    await comm.close()


def _refused(how: Joining, error: BaseException) -> str:
    """Say why the fleet could not be joined; raise Refusal where that will not change."""
    if foreign(error):
        raise Refusal(FOREIGN) from error
    text = said(error)
    if "name taken" in text:
        return f"another worker is device '{how.label}' already, or its end is not noticed yet"
    if any(isinstance(one, OSError) for one in causes(error)):
        return f"no scheduler at {how.scheduler.url(secure=how.certificates is not None)}"
    return f"the fleet could not be joined: {text}"


def _joined(how: Joining) -> str:
    secure = how.certificates is not None
    where = how.scheduler.url(secure=secure)
    return f"device '{how.label}' joined {where}, with{'' if secure else 'out'} TLS"


async def _first(*waits: Awaitable[object]) -> None:
    """Wait for the first of several, and let go of the others."""
    pending = {asyncio.ensure_future(one) for one in waits}
    _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
    for one in pending:
        one.cancel()
