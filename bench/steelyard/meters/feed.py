"""Run a meter's command: its lines come in, and it ends when it is told to."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Protocol

# After SIGTERM a meter may still have to say goodbye to its device.
PATIENCE_S = 2.0


class Feed(Protocol):
    """A running command."""

    @property
    def pid(self) -> int | None:
        """Its process, where it is one."""
        ...

    def lines(self) -> Iterator[str]:
        """Return its lines as they come; ends when the command ends."""
        ...

    def close(self) -> str | None:
        """End it; say how it ended if it had ended of itself, else None."""
        ...


Launch = Callable[[Sequence[str]], Feed]


class CommandFeed:
    """A command in a process group of its own, so that what it started ends with it."""

    def __init__(self, child: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        self._child = child
        self._log = log
        self._dry = False

    @property
    def pid(self) -> int | None:
        """Its process."""
        return self._child.pid

    def lines(self) -> Iterator[str]:
        """Return its lines; bytes that are no text become a line that is refused."""
        if self._child.stdout is None:
            return
        # Closed by the thread that reads it: closed by another, a read under way would not end.
        with self._child.stdout as lines:
            for line in lines:
                yield line.decode(errors="replace")
        self._dry = True

    def close(self) -> str | None:
        """Send SIGTERM, then SIGKILL; say how it ended if nobody asked it to."""
        if self._dry:
            # It has closed its output and is about to end: let it, to hear its status.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(PATIENCE_S)
        early = self._dry or self._child.poll() is not None
        self._signal(signal.SIGTERM)
        try:
            self._child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
        self._child.wait()
        said = self._last_words()
        self._log.close()
        return f"ended with status {self._child.returncode}{said}" if early else None

    def _signal(self, number: signal.Signals) -> None:
        # The group outlives its leader where the command left children behind.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, number)

    def _last_words(self) -> str:
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - 1024))
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return f": {lines[-1]}" if lines else ""


def launch(command: Sequence[str]) -> Feed:
    """Start `command`, without a shell; raises OSError where it cannot be started."""
    log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the feed
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    except OSError:
        log.close()
        raise
    return CommandFeed(child, log)
