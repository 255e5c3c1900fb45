"""Do one pass in a fresh worker; a time-out, a crash, a refusal each come back as an outcome."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator
from typing import IO

import msgspec
from msgspec import Struct

from steelyard import host
from steelyard.errors import WorkerError
from steelyard.job import AnyMessage, Failed, Job, Message
from steelyard.record import Outcome

Listener = Callable[[Message], None]


class PassFailed(Exception):  # noqa: N818 - an outcome on its way into a record
    """A pass ended without its result."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome: Outcome = outcome
        self.reason = reason


class Worker(Struct, frozen=True, kw_only=True):
    """How a worker is started; tests put another command here."""

    command: tuple[str, ...] = (sys.executable, "-m", "steelyard.worker")


def run_pass(job: Job, timeout_s: float, on_message: Listener, worker: Worker) -> None:
    """Do one pass in a fresh process, handing each message on as it comes.

    The parent blocks on the pipe: a polling parent takes time from the measured child.
    Raises PassFailed with the outcome.
    """
    kills = host.out_of_memory_kills()
    with tempfile.TemporaryFile() as log, _started(worker, log) as child:
        late = threading.Event()
        timer = threading.Timer(timeout_s, _expire, (child, late))
        timer.daemon = True
        timer.start()
        try:
            failure = _converse(child, job, on_message)
        finally:
            timer.cancel()
        status = child.wait()
        if late.is_set():
            raise PassFailed("timed_out", f"{job.kind} pass took longer than {timeout_s:g} s")
        if failure is not None:
            raise PassFailed(failure.outcome, f"{job.kind} pass: {failure.reason}")
        if status != 0:
            raise _crash(job, status, log, kills)


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
def _started(worker: Worker, log: IO[bytes]) -> Generator[subprocess.Popen[bytes], None, None]:
    """Start the worker away from the user's folder, whose modules must not shadow ours."""
    child = subprocess.Popen(
        worker.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd="/"
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


def _crash(job: Job, status: int, log: IO[bytes], kills: int | None) -> PassFailed:
    after = host.out_of_memory_kills()
    if status == -signal.SIGKILL and kills is not None and after is not None and after > kills:
        return PassFailed("out_of_memory", f"{job.kind} pass: killed by the kernel for memory")
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - 4096))
    lines = log.read().decode(errors="replace").strip().splitlines()
    said = lines[-1] if lines else "nothing on the standard error"
    how = signal.Signals(-status).name if status < 0 else f"status {status}"
    return PassFailed("failed", f"{job.kind} pass: worker ended with {how}: {said}")
