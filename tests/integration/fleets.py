"""A fleet of real processes on this machine: a scheduler, workers with their own caches, runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from steelyard import store
from steelyard.record import Record

PATIENCE_S = 600.0
# What a slow board is here: its passes do not begin as long as a file is there.
SLOW = """
import os, sys, time
while "steelyard.worker" in sys.orig_argv and os.path.exists(os.environ["HELD"]):
    time.sleep(0.05)
"""


def wait_for(there: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not there():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.05)


class Started:
    """A process of the fleet and what it has said."""

    def __init__(self, folder: Path, name: str, command: Sequence[str], cache: Path) -> None:
        self._log = folder / f"{name}.log"
        self._before = self._log.stat().st_size if self._log.exists() else 0
        environment = {
            **os.environ,
            "STEELYARD_CACHE": str(cache),
            "STEELYARD_FLEET": str(folder / "certificates"),
            "NO_COLOR": "1",
            "PYTHONPATH": str(folder / "slow"),
            "HELD": str(folder / f"held-{name}"),
        }
        with self._log.open("ab") as log:
            self.child = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=log, stderr=log
            )

    @property
    def said(self) -> str:
        """What this process has said."""
        return self._log.read_bytes()[self._before :].decode()

    @property
    def everything(self) -> str:
        """What it and those before it under its name have said."""
        return self._log.read_text()

    def heard(self, text: str) -> None:
        """Wait until it has said something."""
        wait_for(lambda: text in self.said or self.child.poll() is not None, f"{text}\n{self.said}")
        assert text in self.said, self.said

    def kill(self) -> None:
        """As the kernel or a power cut does."""
        self.child.kill()
        self.child.wait()

    def ask_to_stop(self) -> None:
        self.child.send_signal(signal.SIGTERM)
        self.child.wait(timeout=PATIENCE_S)

    def ended(self) -> int:
        return self.child.wait(timeout=PATIENCE_S)


class Fleet:
    """Starts processes in a project's folder and ends them all."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        self.folder = folder
        self.host = host
        self.port = 0
        self._started: list[Started] = []
        (folder / "slow").mkdir()
        (folder / "slow/sitecustomize.py").write_text(SLOW)

    def hold(self, label: str) -> None:
        """Let a device be slow: it goes no further until it is released."""
        (self.folder / f"held-{label}").touch()

    def release(self, label: str) -> None:
        (self.folder / f"held-{label}").unlink()

    def start(self, name: str, *arguments: str, inside: Sequence[str] = ()) -> Started:
        """Start `steelyard ARGUMENTS` under a name, which has a cache and a log of its own."""
        command = [*inside, sys.executable, "-m", "steelyard", *arguments]
        started = Started(self.folder, name, command, self.folder / f"cache-{name}")
        self._started.append(started)
        return started

    def scheduler(self, lost_after: float = 900.0) -> Started:
        listen = f"{self.host}:{self.port}"
        started = self.start(
            "scheduler", "fleet", "scheduler", "--listen", listen, "--no-dashboard",
            "--lost-after", str(lost_after),
        )  # fmt: skip
        started.heard("tls://")
        self.port = int(started.said.split("tls://")[1].split()[0].rpartition(":")[2])
        return started

    def worker(self, label: str, inside: Sequence[str] = ()) -> Started:
        started = self.start(
            label, "fleet", "worker", "--device", label, "--scheduler", self.address, inside=inside
        )
        started.heard("joined")
        return started

    def held(self, label: str) -> Started:
        """Start a device whose passes wait until it is released."""
        self.hold(label)
        return self.worker(label)

    def run(self, *more: str) -> Started:
        return self.start(
            "run", "fleet", "run", "--cards", "cards", "--scheduler", self.address, *more
        )

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def records(self, label: str) -> tuple[Record, ...]:
        """What is home of a device, in the newest run."""
        newest = max((self.folder / "results/local").glob("*/fleet.json")).parent
        if not (newest / label / store.JOURNAL).exists():
            return ()
        return store.Journal.read(newest / label).records

    def end(self) -> None:
        for one in reversed(self._started):
            if one.child.poll() is None:
                one.child.terminate()
        for one in reversed(self._started):
            try:
                one.child.wait(timeout=30)
            except subprocess.TimeoutExpired:
                one.kill()


def measuring(worker: Started) -> list[psutil.Process]:
    """The measuring process of a worker and the passes that it has started."""
    family = psutil.Process(worker.child.pid).children(recursive=True)
    return [one for one in family if "steelyard.fleet.measuring" in one.cmdline()]
