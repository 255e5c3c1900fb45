"""A memory cgroup of our own: where one may be made, made, read, and taken away again.

Facts from the kernel's Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from msgspec import Struct

from steelyard.errors import Refusal
from steelyard.host.machine import Machine

MOUNTS = ("sys/fs/cgroup", "sys/fs/cgroup/unified")
_OURS = re.compile(r"steelyard-(\d+)-\d+")
_TRIES = 50


class Unavailable(Struct, frozen=True, kw_only=True):
    """Why no cgroup can be made here."""

    reason: str


class Hands(Struct, frozen=True, kw_only=True):
    """What touches the system; tests put others here."""

    make: Callable[[Path], None] = Path.mkdir
    remove: Callable[[Path], None] = Path.rmdir
    sleep: Callable[[float], None] = time.sleep
    writable: Callable[[Path], bool] = lambda path: os.access(path, os.W_OK)
    pid: Callable[[], int] = os.getpid


class Usage(Struct, frozen=True, kw_only=True):
    """What a group has used: its highest memory in bytes, and how many of it the kernel killed."""

    peak: int | None
    kills: int


def home(machine: Machine, hands: Hands) -> Path | Unavailable:
    """Return the nearest cgroup above us in which we may make one with a memory limit.

    Its own `cgroup.procs` must be writable too: a process moves only within what we may write.
    """
    mount = next((m for m in MOUNTS if machine.read(f"{m}/cgroup.controllers") is not None), None)
    if mount is None:
        return Unavailable(reason="cgroup v2 is not mounted")
    if "memory" not in (machine.read(f"{mount}/cgroup.controllers") or "").split():
        return Unavailable(reason=_no_controller(machine))
    for folder in _above(machine, mount):
        divided = (machine.read(folder / "cgroup.subtree_control") or "").split()
        if "memory" in divided and hands.writable(folder / "cgroup.procs"):
            return folder
    return Unavailable(
        reason="no cgroup is delegated to this user (try: systemd-run --user --scope ...)"
    )


def make(parent: Path, budget: int, machine: Machine, hands: Hands) -> Path:
    """Make a group that may hold `budget` bytes and swap nothing; raise Refusal if it cannot.

    What killed runs have left behind in `parent` goes first.
    """
    _sweep(parent, machine, hands)
    folder = parent / f"steelyard-{hands.pid()}-{time.monotonic_ns()}"
    try:
        hands.make(folder)
    except OSError as error:
        raise Refusal(f"{folder}: no cgroup could be made: {error.strerror}") from error
    try:
        _limit(folder, budget, machine)
    except (OSError, Refusal) as error:
        remove(folder, hands)
        raise Refusal(f"{folder}: memory could not be limited: {error}") from error
    return folder


def usage(folder: Path) -> Usage:
    """Return what a group has used so far; the peak is None before Linux 5.19."""
    peak = _text(folder / "memory.peak").strip()
    kills = re.search(r"(?m)^oom_kill (\d+)$", _text(folder / "memory.events"))
    return Usage(peak=int(peak) if peak.isdecimal() else None, kills=int(kills[1]) if kills else 0)


def remove(folder: Path, hands: Hands) -> bool:
    """Kill what is left in a group and remove it; return whether it is gone.

    The kernel refuses until the last process has been buried, which takes a moment.
    """
    with contextlib.suppress(OSError):
        if (folder / "cgroup.kill").exists():  # since Linux 5.14
            (folder / "cgroup.kill").write_text("1")
    for _ in range(_TRIES):
        try:
            hands.remove(folder)
        except FileNotFoundError:
            return True
        except OSError:
            hands.sleep(0.02)
        else:
            return True
    return False


def _no_controller(machine: Machine) -> str:
    if machine.read("sys/fs/cgroup/memory/memory.limit_in_bytes") is not None:
        return "memory is in cgroup v1 here (boot with systemd.unified_cgroup_hierarchy=1)"
    return "no memory controller (on a Raspberry Pi: put cgroup_enable=memory into cmdline.txt)"


def _limit(folder: Path, budget: int, machine: Machine) -> None:
    if not (folder / "memory.max").exists():
        raise Refusal("the group has no memory.max")
    (folder / "memory.max").write_text(str(budget))
    if (folder / "memory.swap.max").exists():
        (folder / "memory.swap.max").write_text("0")
    elif len((machine.read("proc/swaps") or "").splitlines()) > 1:
        raise Refusal("swap is on and the group has no memory.swap.max; turn swap off")
    if (folder / "memory.oom.group").exists():
        (folder / "memory.oom.group").write_text("1")


def _sweep(parent: Path, machine: Machine, hands: Hands) -> None:
    for folder in sorted(parent.glob("steelyard-*")):
        ours = _OURS.fullmatch(folder.name)
        if ours and machine.read(f"proc/{ours[1]}/stat") is None:
            remove(folder, hands)


def _above(machine: Machine, mount: str) -> list[Path]:
    """Return our own cgroup and those above it, up to the mount."""
    for line in (machine.read("proc/self/cgroup") or "").splitlines():
        if line.startswith("0::"):
            own = PurePosixPath(line.removeprefix("0::").lstrip("/"))
            if ".." in own.parts:  # our group lies outside of what this container shows
                return []
            return [machine.path(f"{mount}/{folder}") for folder in (own, *own.parents)]
    return []


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
