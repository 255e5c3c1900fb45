"""The seam to a device: its files and its commands, real or recorded."""

from __future__ import annotations

import os
import platform
import shlex
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct, field

from steelyard.errors import StoreError

Ask = Callable[[tuple[str, ...]], str | None]

# nvpmodel and jetson_clocks take up to a second on a Nano; a device that hangs must not hang us.
TIMEOUT_S = 5.0


def ask_real(argv: tuple[str, ...]) -> str | None:
    """Return what `argv` prints; None where it is missing, fails or takes over TIMEOUT_S seconds.

    No shell. The locale is C, so that numbers and words read the same everywhere.
    """
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None


class Userland(Struct, frozen=True, kw_only=True):
    """What programs on a device are told; None where a recording does not hold it.

    `bits` are those of a pointer: a 32-bit system on a 64-bit kernel calls itself aarch64. `cores`
    are those that the process may use, `ticks_hz` is the unit of /proc/stat.
    """

    machine: str | None = None
    bits: int | None = None
    page_size: int | None = None
    cores: int | None = None
    ticks_hz: int | None = None


def this_userland() -> Userland:
    """Return what this process is told.

    Not asked of commands: under qemu-user a command may run on the machine outside.
    """
    return Userland(
        machine=platform.machine(),
        bits=struct.calcsize("P") * 8,
        page_size=os.sysconf("SC_PAGE_SIZE"),
        cores=len(os.sched_getaffinity(0)),
        ticks_hz=os.sysconf("SC_CLK_TCK"),
    )


class Machine(Struct, frozen=True, kw_only=True):
    """A device, read through its file tree and its commands. `Machine()` is this one."""

    root: Path = Path("/")
    ask: Ask = ask_real
    userland: Userland = field(default_factory=this_userland)

    def read(self, path: str | Path) -> str | None:
        """Return the text of root/path; None where it is not there or not readable."""
        try:
            return self.path(path).read_text(errors="replace")
        except (OSError, ValueError):
            # Also EAGAIN, ENODATA and EIO: what a sensor that is switched off answers.
            return None

    def glob(self, pattern: str) -> tuple[Path, ...]:
        """Return the files that match root/pattern, sorted; `read` takes them as they are."""
        try:
            return tuple(sorted(self.root.glob(pattern.lstrip("/"))))
        except (OSError, ValueError):
            return ()

    def path(self, path: str | Path) -> Path:
        """Return where `path` of the device lies; one that `glob` gave is kept."""
        if isinstance(path, Path) and path.is_relative_to(self.root):
            return path
        return self.root / str(path).lstrip("/")


def recorded(folder: Path) -> Machine:
    """Return the device recorded in `folder`: `tree/` is its root, `commands.toml` its commands.

    `commands.toml` maps a command line, quoted as a shell would, to what the command prints; a
    command that it does not name is missing on the device. Raises StoreError if it is unreadable.
    """
    answers = folder / "commands.toml"
    try:
        known: dict[str, str] = msgspec.toml.decode(answers.read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        known = {}
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreError(f"{answers}: not a table of command lines and outputs: {error}") from error
    return Machine(
        root=folder / "tree",
        ask=lambda argv: known.get(shlex.join(argv)),
        userland=_recorded_userland(known),
    )


def _recorded_userland(known: dict[str, str]) -> Userland:
    def number(line: str) -> int | None:
        return int(known[line]) if line in known else None

    return Userland(
        machine=known["uname -m"].strip() if "uname -m" in known else None,
        bits=number("getconf LONG_BIT"),
        page_size=number("getconf PAGE_SIZE"),
        cores=number("nproc"),
        ticks_hz=number("getconf CLK_TCK"),
    )
