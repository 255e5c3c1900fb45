"""The process on a device that measures: what `steelyard run --bundle` does, a cell an order.

It lasts as long as the run, so that every start waits for the temperature of the first one.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from steelyard import bundle, host, plan, runner, store, tuned, tuning
from steelyard.errors import SteelyardError, StoreError, UnknownNameError
from steelyard.fleet.orders import Assignment, Begun, Kept, Line, Said, Unable
from steelyard.host.machine import Machine
from steelyard.measure import Bench
from steelyard.plan import PlannedCell
from steelyard.prepare.cache import Cache
from steelyard.progress import Bar, Silent, Unit
from steelyard.record import Record, TunedSetting
from steelyard.store import Journal
from steelyard.tuning import Place
from steelyard.tuning_journal import Disk

# prctl(2): a signal to the child when its parent dies, however it dies.
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Take an assignment and then orders, a line each, until there are no more."""
    signal.signal(signal.SIGTERM, _stopped)
    # Native runtimes print: what is ours to say goes to a duplicate.
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        try:
            _serve(sys.stdin.buffer, Teller(out))
        except SteelyardError as error:
            Teller(out).tell(Unable(reason=str(error)))
        except KeyboardInterrupt:
            sys.exit(130)


class Teller:
    """Writes lines; as a Progress it passes on what is said."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out

    def tell(self, line: Line) -> None:
        """Write one line."""
        self._out.write(msgspec.json.encode(line) + b"\n")
        self._out.flush()

    def say(self, message: str) -> None:
        """Pass on one message."""
        self.tell(Said(message=message))

    @contextmanager
    def bar(self, what: str, total: float | None, unit: Unit) -> Generator[Bar, None, None]:
        """Show nothing: nobody watches a device."""
        with Silent().bar(what, total, unit) as bar:
            yield bar

    @contextmanager
    def step(self, what: str) -> Generator[None, None, None]:  # noqa: ARG002
        """Show nothing: a pass may be timed within."""
        yield


def _serve(lines: IO[bytes], teller: Teller) -> None:
    given = msgspec.json.decode(lines.readline(), type=Assignment)
    _end_with(given.parent)
    cache = Cache(Path(given.cache))
    unpacked = bundle.unpack(Path(given.bundle), cache)
    planned = plan.select(bundle.cells(unpacked, host.cores()), given.patterns)
    journal = _journal(planned, unpacked.bundle.suite.name, Path(given.folder))
    ids = tuple(one.cell.id for one in planned)
    teller.tell(Begun(run=str(journal.folder), header=journal.header, cells=ids))
    bench = Bench(cache=cache, progress=teller, offline=True, fresh=given.fresh, bundled=True)
    for line in lines:
        cell = _ordered(planned, msgspec.json.decode(line, type=str))
        journal = runner.run((cell,), journal, bench, _ignore)
        teller.tell(Kept(cell=cell.cell.id))


def _ordered(planned: tuple[PlannedCell, ...], wanted: str) -> PlannedCell:
    for one in planned:
        if one.cell.id == wanted:
            return one
    raise UnknownNameError(f"no cell '{wanted}' in this bundle on this device")


def _journal(planned: tuple[PlannedCell, ...], suite: str, folder: Path) -> Journal:
    """Continue the run that the device has begun for this fleet run, or begin it."""
    settings = _tuned()
    try:
        store.latest_run(folder, suite)
    except StoreError:
        return runner.start(planned, suite, folder, settings)
    return runner.resume(planned, suite, folder, settings)


def _tuned() -> tuple[TunedSetting, ...]:
    """Return what somebody has tuned here before; nothing is tuned for a fleet."""
    root = Path("/")
    place = Place(machine=Machine(root=root), disk=Disk(root), user=os.geteuid(), as_root="")
    try:
        return tuned.kept(tuning.status(place))
    except SteelyardError:
        return ()


def _end_with(parent: int) -> None:
    """Be told to stop when the worker dies: what it left would disturb what comes after it."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(130)


def _stopped(*_: object) -> None:
    """Stop as at Ctrl-C, once: the kernel sends a signal for each thread that a worker loses."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _ignore(_: Record) -> None:
    """Do nothing with a record: it is in the journal, where the worker reads it."""


if __name__ == "__main__":
    main()
