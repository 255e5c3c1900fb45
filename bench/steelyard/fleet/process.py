"""A device's measuring process, from the side of its worker: orders in, lines out."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import IO

import msgspec

from steelyard.errors import FleetError, WorkerError
from steelyard.fleet.orders import AnyLine, Assignment, Begun, Kept, Said, Unable

COMMAND = (sys.executable, "-m", "steelyard.fleet.measuring")
# A pass that is asked to stop ends its worker and its meters first.
STOP_S = 15.0


class Ended(Exception):  # noqa: N818 - an answer on its way, not a fault of ours
    """The measuring process ended in the middle of a cell."""


class Process:
    """One measuring process under way; `begun` is what it said at first."""

    def __init__(
        self, child: subprocess.Popen[bytes], begun: Begun, say: Callable[[str], None]
    ) -> None:
        self._child = child
        self._say = say
        self.begun = begun

    @classmethod
    def start(
        cls,
        assignment: Assignment,
        say: Callable[[str], None],
        command: tuple[str, ...] = COMMAND,
    ) -> Process:
        """Start the process and wait until it knows its cells; raise FleetError where it cannot.

        To be called in a thread that outlives the process: the kernel takes the thread for its
        parent.
        """
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
            start_new_session=True,
        )
        try:
            return cls(child, _begun(child, assignment, say), say)
        except BaseException:
            _end(child)
            raise

    @property
    def alive(self) -> bool:
        """Whether it can take an order."""
        return self._child.poll() is None

    def measure(self, cell: str) -> None:
        """Return when the cell is in the device's journal; raise Ended or FleetError."""
        try:
            _write(self._child, cell)
            line = _read(self._child, self._say)
        except Ended:
            _end(self._child)
            raise
        if isinstance(line, Unable):
            _end(self._child)
            raise FleetError(line.reason)
        if not isinstance(line, Kept) or line.cell != cell:
            _end(self._child)
            raise Ended(f"the measuring process answered another order: {line}")

    def stop(self) -> None:
        """End it with all that it has started; a cell under way is not finished."""
        _end(self._child)


def _begun(
    child: subprocess.Popen[bytes], assignment: Assignment, say: Callable[[str], None]
) -> Begun:
    try:
        _write(child, assignment)
        line = _read(child, say)
    except Ended as ended:
        raise FleetError(f"the bundle could not be taken: {ended}") from ended
    if not isinstance(line, Begun):
        raise FleetError(line.reason if isinstance(line, Unable) else f"no cells, but {line}")
    return line


def _pipes(child: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if child.stdin is None or child.stdout is None:
        raise WorkerError("the measuring process has no pipes")
    return child.stdin, child.stdout


def _write(child: subprocess.Popen[bytes], line: Assignment | str) -> None:
    try:
        stdin, _ = _pipes(child)
        stdin.write(msgspec.json.encode(line) + b"\n")
        stdin.flush()
    except (BrokenPipeError, ValueError) as error:
        raise Ended(_how(child)) from error


def _read(child: subprocess.Popen[bytes], say: Callable[[str], None]) -> AnyLine:
    """Block for the next line that is not only said."""
    _, stdout = _pipes(child)
    while text := stdout.readline():
        try:
            line: AnyLine = msgspec.json.decode(text, type=AnyLine)
        except msgspec.MsgspecError:
            break  # half a line: it was killed while writing
        if not isinstance(line, Said):
            return line
        say(line.message)
    raise Ended(_how(child))


def _how(child: subprocess.Popen[bytes]) -> str:
    try:
        status = child.wait(timeout=STOP_S)
    except subprocess.TimeoutExpired:
        return "the measuring process closed its pipe"
    how = signal.Signals(-status).name if status < 0 else f"status {status}"
    return f"the measuring process ended with {how}"


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask it to stop, then kill what is left of its session."""
    if child.poll() is None:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=STOP_S)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError, ValueError):
                pipe.close()
