"""A toy project on disk: real cards, a real CSV, a suite of cells that take a moment each."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.unit.builders import TASK_CARD

ROWS = [
    *[("a", f"red and round number {i}", "train") for i in range(6)],
    *[("b", f"green and long number {i}", "train") for i in range(4)],
    ("a", "red round fruit", "test"),
    ("b", "long green fruit", "test"),
    ("a", "round", "test"),
]

TIMING = """
[timing]
min_calls = 20
min_seconds = 0.0
max_seconds = 0.5
warm_up_min_calls = 2
warm_up_min_seconds = 0.0
warm_up_max_seconds = 0.1
memory_calls = 5
"""


def project(folder: Path, tasks: int = 1, models: str = '"majority"') -> Path:
    """Write cards for `tasks` toy tasks and a bench.toml; return the folder."""
    text = "label,text,part\n" + "".join(f"{a},{t},{p}\n" for a, t, p in ROWS)
    digest = hashlib.sha256(text.encode()).hexdigest()
    card = TASK_CARD.replace("0" * 64, digest).replace(
        'name = "delimited"', 'name = "delimited"\noptions = { part = "part" }'
    )
    names = [f"toy-{index:02}" for index in range(tasks)]
    for name in names:
        home = folder / "cards" / "tasks" / name
        home.mkdir(parents=True)
        (home / "toys.csv").write_text(text)
        (home / "card.toml").write_text(card.replace('id = "toy"', f'id = "{name}"'))
    listed = ", ".join(f'"{name}"' for name in names)
    (folder / "bench.toml").write_text(
        f'schema = 1\nname = "toy"\ntasks = [{listed}]\n{TIMING}\n'
        f'[[entries]]\nmodels = [{models}]\ndevice = "cpu-1t"\n'
    )
    return folder


def environment(folder: Path) -> dict[str, str]:
    """Return an environment whose cache is the project's own."""
    return {**os.environ, "STEELYARD_CACHE": str(folder / "cache"), "NO_COLOR": "1"}


@contextmanager
def interruptible() -> Generator[None, None, None]:
    """Start children as a terminal does: what a shell puts in the background ignores Ctrl-C.

    A signal that is handled here is at its default in a child; one that is ignored stays so.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start `steelyard` in the project, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "steelyard", *arguments],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `steelyard` in the project to its end."""
    child = start(folder, *arguments)
    try:
        # Only what hangs takes that long, however busy the machine.
        out, err = child.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        raise
    return subprocess.CompletedProcess(arguments, child.returncode, out, err)
