"""Archives that a package client fetches for us: npm and apt, with the user's own settings."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from steelyard.card import Part
from steelyard.errors import SourceError
from steelyard.prepare.sources.transport import Advance

# Names are checked because npm and apt also take addresses, files and options in their place.
_NPM = re.compile(r"(@[a-z0-9][\w.-]*/)?[a-z0-9][\w.-]*@[0-9][\w.+-]*", re.IGNORECASE)
_DEBIAN = re.compile(r"[a-z0-9][a-z0-9.+-]*=[0-9][\w.+~:-]*", re.IGNORECASE)


def npm(part: Part, folder: Path, advance: Advance) -> Path:
    """Fetch a package's archive by `npm pack`, running none of its scripts."""
    name = _checked(_NPM, f"{part.package}@{part.version}")
    return _run(["npm", "pack", name, "--ignore-scripts", "--silent"], folder, ".tgz", advance)


def debian(part: Part, folder: Path, advance: Advance) -> Path:
    """Fetch a package's archive by `apt-get download`, installing nothing."""
    name = _checked(_DEBIAN, f"{part.package}={part.version}")
    return _run(["apt-get", "download", "--quiet", name], folder, ".deb", advance)


def _checked(pattern: re.Pattern[str], name: str) -> str:
    if pattern.fullmatch(name) is None:
        raise SourceError(f"{name!r} is not a package and a version")
    return name


def _run(command: Sequence[str], folder: Path, suffix: str, advance: Advance) -> Path:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise SourceError(f"{command[0]} is not installed on this machine") from None
    archives = [path for path in folder.iterdir() if path.suffix == suffix]
    if done.returncode or len(archives) != 1:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise SourceError(f"{' '.join(command)}: {' '.join(lines[-2:])}")
    advance(archives[0].stat().st_size)
    return archives[0]
