"""Do one pass in a fresh worker; a time-out, a crash, a refusal each come back as an outcome.

What holds the worker to a memory limit, and what watches it, is handed in.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from typing import IO

import msgspec
from msgspec import Struct, structs

from steelyard import host, limits
from steelyard.cgroups import Usage
from steelyard.errors import WorkerError
from steelyard.job import AnyMessage, Failed, Job, Message
from steelyard.record import MemoryLimit, Outcome

Listener = Callable[[Message], None]
OnStart = Callable[[int], None]

# A library that ran out of memory may say a hundred lines more.
TAIL_BYTES = 16384


def ignore(_: int) -> None:
    """Do nothing with the worker's process id."""


class PassFailed(Exception):  # noqa: N818 - an outcome on its way into a record
    """A pass ended without its result."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome: Outcome = outcome
        self.reason = reason


class Worker(Struct, frozen=True, kw_only=True):
    """How a worker is started, and what it may have; tests put another command here."""

    command: tuple[str, ...] = (sys.executable, "-m", "steelyard.worker")
    limit: MemoryLimit | None = None


def run_pass(
    job: Job,
    timeout_s: float,
    on_message: Listener,
    worker: Worker,
    on_start: OnStart = ignore,
) -> Usage | None:
    """Do one pass in a fresh process, handing each message on as it comes.

    The parent blocks on the pipe: a polling parent takes time from the measured child.
    `on_start` is told the worker's process id. Returns what the worker's cgroup has used, None
    where it had none of its own. Raises PassFailed with the outcome.
    """
    kills = host.out_of_memory_kills()
    with limits.held(worker.limit) as hold, tempfile.TemporaryFile() as log:
        if job.kind == "cold":
            job = structs.replace(job, began_ns=time.monotonic_ns())
        with _started(hold.command(worker.command), log) as child:
            on_start(child.pid)
            end = _end(child, job, timeout_s, on_message)
        if end.late:
            raise PassFailed("timed_out", f"{job.kind} pass took longer than {timeout_s:g} s")
        if end.failure is not None or end.status != 0:
            raise _failure(end, job, _tail(log), hold, kills)
        return hold.usage()


class _End(Struct, frozen=True, kw_only=True):
    """How a worker ended: what it said went wrong, its exit status, whether it was too late."""

    failure: Failed | None
    status: int
    late: bool


def _end(child: subprocess.Popen[bytes], job: Job, timeout_s: float, on_message: Listener) -> _End:
    late = threading.Event()
    timer = threading.Timer(timeout_s, _expire, (child, late))
    timer.daemon = True
    timer.start()
    try:
        failure = _converse(child, job, on_message)
        status = child.wait()
    finally:
        timer.cancel()
    return _End(failure=failure, status=status, late=late.is_set())


def _converse(child: subprocess.Popen[bytes], job: Job, on_message: Listener) -> Failed | None:
    if child.stdin is None or child.stdout is None:
        raise WorkerError("the worker has no pipes")
    with contextlib.suppress(BrokenPipeError), child.stdin:
        child.stdin.write(msgspec.json.encode(job))
    decoder = msgspec.json.Decoder(AnyMessage)
    for line in child.stdout:
        try:
            message = decoder.decode(line)
        except msgspec.DecodeError:
            # Only a worker that was killed in the middle of a line leaves half a message.
            break
        if isinstance(message, Failed):
            return message
        on_message(message)
    return None


@contextlib.contextmanager
def _started(
    command: tuple[str, ...], log: IO[bytes]
) -> Generator[subprocess.Popen[bytes], None, None]:
    """Start the worker away from the user's folder, whose modules must not shadow ours."""
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd="/"
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def _expire(child: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    child.kill()


def _failure(
    end: _End, job: Job, said: str, hold: limits.Hold, kills_before: int | None
) -> PassFailed:
    """Return the outcome of a worker that ended badly; `said` is its standard error's end."""
    failure = end.failure
    if failure is not None and failure.outcome == "refused":
        return PassFailed("refused", f"{job.kind} pass: {failure.reason}")
    lack = limits.lack(hold, failure.reason if failure else said)
    if lack is None and failure is None and _killed_for_memory(end.status, kills_before):
        lack = "killed by the kernel for memory"
    if lack is not None:
        return PassFailed("out_of_memory", f"{job.kind} pass: {lack}")
    if failure is not None:
        return PassFailed(failure.outcome, f"{job.kind} pass: {failure.reason}")
    how = signal.Signals(-end.status).name if end.status < 0 else f"status {end.status}"
    last = next(reversed(said.splitlines()), "nothing on the standard error")
    return PassFailed("failed", f"{job.kind} pass: worker ended with {how}: {last}")


def _killed_for_memory(status: int, before: int | None) -> bool:
    after = host.out_of_memory_kills()
    risen = before is not None and after is not None and after > before
    return status == -signal.SIGKILL and risen


def _tail(log: IO[bytes]) -> str:
    log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL_BYTES))
    return log.read().decode(errors="replace").strip()
