"""A device at work: takes a bundle, measures one cell at a time, keeps each until it is home.

Nothing here knows of Dask: a request in, an answer out.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from msgspec import Struct

from steelyard import store
from steelyard.errors import FleetError, SteelyardError
from steelyard.fleet.bundles import Shelf
from steelyard.fleet.messages import (
    Answer,
    Declined,
    Delivery,
    Dismissal,
    Dismissed,
    Interrupted,
    Lacking,
    Offer,
    Order,
    Part,
    Ready,
    Request,
    Unready,
)
from steelyard.fleet.orders import Assignment
from steelyard.fleet.process import Ended, Process
from steelyard.prepare.cache import Cache
from steelyard.record_file import encode

Say = Callable[[str], None]


def predictions_file(folder: Path, digest: str) -> Path:
    """Return where a run keeps predictions, as `store.write_predictions` does."""
    return folder / "predictions" / f"{digest}.jsonl.gz"


class _Taken(Struct, frozen=True, kw_only=True):
    """A run that this process is ready for."""

    offer: Offer
    process: Process


class Desk:
    """One device. All its work is done in one thread: one cell at a time, whoever asks."""

    def __init__(self, home: Path, cache: Cache, shelf: Shelf, say: Say) -> None:
        self._home = home
        self._cache = cache
        self._shelf = shelf
        self._say = say
        self._taken: _Taken | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="measuring")
        self._lock = threading.Lock()
        self._under_way: tuple[Order, Future[Answer]] | None = None

    def submit(self, request: Request) -> Future[Answer]:
        """Begin what is asked, after the cell under way.

        Who asks for that very cell waits for it too: his scheduler may have been replaced.
        """
        with self._lock:
            if self._under_way is not None:
                known, future = self._under_way
                if known == request and not future.done():
                    return future
            future = self._thread.submit(self._answer, request)
            if isinstance(request, Order):
                self._under_way = (request, future)
            return future

    def close(self) -> None:
        """Stop what is under way and end; what is finished is on the disk."""
        if self._taken is not None:
            self._taken.process.stop()
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _answer(self, request: Request) -> Answer:
        try:
            if isinstance(request, Offer):
                return self._offer(request)
            if isinstance(request, Part):
                begin = self._shelf.add(request.bundle_sha256, request.begin, request.data)
                return Lacking(begin=begin)
            if isinstance(request, Order):
                return self._measure(request)
            return self._dismiss(request)
        except SteelyardError as error:
            return Declined(reason=str(error))

    def _offer(self, offer: Offer) -> Answer:
        path = self._shelf.find(offer.bundle_sha256, offer.size_bytes)
        if isinstance(path, int):
            return Lacking(begin=path)
        taken = self._taken
        if taken is None or taken.offer != offer or not taken.process.alive:
            taken = self._begin(offer, path)
        begun = taken.process.begun
        journal = store.Journal.read(Path(begun.run))
        return Ready(
            header=begun.header, cells=begun.cells, finished=tuple(sorted(journal.finished()))
        )

    def _begin(self, offer: Offer, path: Path) -> _Taken:
        if self._taken is not None:
            self._taken.process.stop()
            self._taken = None
        process = Process.start(self._assigned(offer, path), self._say)
        self._taken = _Taken(offer=offer, process=process)
        self._say(f"run {offer.run}: {len(process.begun.cells)} cells")
        return self._taken

    def _measure(self, order: Order) -> Answer:
        taken = self._taken
        if taken is None or taken.offer.run != order.run:
            return Unready()
        self._say(f"measuring {order.cell}")
        try:
            taken.process.measure(order.cell)
        except Ended as ended:
            self._taken = None
            self._say(f"{order.cell}: {ended}")
            return Interrupted(reason=str(ended))
        return self._delivery(order, Path(taken.process.begun.run))

    def _delivery(self, order: Order, folder: Path) -> Delivery:
        """Return what the journal holds of a cell."""
        records = store.Journal.read(folder).records
        record = next((one for one in records if one.cell.id == order.cell), None)
        if record is None:
            raise FleetError(f"{folder}: has no record of {order.cell}")
        body = encode(record)
        digest = record.predictions_sha256
        return Delivery(
            run=order.run,
            record=body,
            sha256=hashlib.sha256(body).hexdigest(),
            predictions=predictions_file(folder, digest).read_bytes() if digest else None,
        )

    def _assigned(self, offer: Offer, path: Path) -> Assignment:
        folder = self._runs(offer.run)
        folder.mkdir(parents=True, exist_ok=True)
        return Assignment(
            bundle=str(path),
            folder=str(folder),
            cache=str(self._cache.root),
            parent=os.getpid(),
            patterns=offer.patterns,
            fresh=offer.fresh,
        )

    def _dismiss(self, dismissal: Dismissal) -> Answer:
        taken = self._taken
        if taken is not None and taken.offer.run == dismissal.run:
            taken.process.stop()
            self._taken = None
        shutil.rmtree(self._runs(dismissal.run), ignore_errors=True)
        self._shelf.forget(dismissal.bundle_sha256)
        self._say(f"run {dismissal.run}: all records are home")
        return Dismissed()

    def _runs(self, run: str) -> Path:
        # The name comes over the wire: it must not lead out of the cache.
        return self._home / "runs" / hashlib.sha256(run.encode()).hexdigest()[:32]
