"""Where an arm's worker runs: this environment, another one, or one built of a git revision."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

import msgspec
from msgspec import Struct

from steelyard.card import Declaration
from steelyard.errors import ArmError
from steelyard.gate.arms import Arm
from steelyard.prepare.cache import Cache
from steelyard.progress import Progress
from steelyard.spawn import Worker

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

KIND = "environments"
JOURNAL = "built.json"
# All that a board needs to run prepared artefacts; taken where the project offers it.
EXTRA = "edge"
TAIL = 5
_PROBE = "import steelyard.worker, steelyard; print(steelyard.__version__)"


class Home(Struct, frozen=True, kw_only=True):
    """Where an arm runs: its worker, the checkout of its revision, and what to say of it."""

    worker: Worker
    checkout: Path | None = None
    top: Path | None = None
    said: str = ""


class Built(Declaration, frozen=True, kw_only=True):
    """What was built, when and how: kept beside the environment, written when it is whole."""

    commit: str
    asked_as: str
    python: str
    requirement: str
    packages: tuple[str, ...]
    started: str
    seconds: float


class Site(Struct, frozen=True, kw_only=True):
    """What finding or building an environment needs: the cache, who is told, whether to fetch."""

    cache: Cache
    progress: Progress
    offline: bool = False
    folder: Path = Path()


def home(arm: Arm, site: Site) -> Home:
    """Return where an arm runs, building what is missing; raise ArmError where that fails."""
    if arm.where == "here":
        return Home(worker=Worker(), said=f"this environment, Python {_version()}")
    if arm.where == "environment":
        python = Path(arm.place).expanduser().absolute()
        return Home(worker=_worker(python), said=f"{python}, steelyard {_works(python)}")
    return _revision(arm.place, site)


def _revision(ref: str, site: Site) -> Home:
    top = Path(_git(site.folder, "rev-parse", "--show-toplevel"))
    commit = _git(top, "rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}")
    key = f"{commit}-py{_version()}"
    place = site.cache.root / KIND / key
    with site.cache.exclusive(KIND, key):
        checkout = _checkout(top, commit, place)
        said = f"commit {commit[:12]}"
        if not (checkout / "pyproject.toml").is_file():
            worker = Worker()
            said += ", which has no pyproject.toml: in this environment"
        else:
            python = _built(ref, commit, place, site)
            worker = _worker(python)
            said += f", in an environment of its own, steelyard {_works(python)}"
    return Home(worker=worker, checkout=checkout, top=top, said=said)


def _checkout(top: Path, commit: str, place: Path) -> Path:
    """Return the revision's files: a clone that leaves the repository's own state alone."""
    checkout = place / "checkout"
    if (place / "checked-out").is_file():
        return checkout
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    _git(top, "clone", "--quiet", "--shared", "--no-checkout", "--", str(top), str(checkout))
    _git(checkout, "checkout", "--quiet", "--detach", commit)
    (place / "checked-out").write_text(commit + "\n")
    return checkout


def _built(ref: str, commit: str, place: Path, site: Site) -> Path:
    """Return the Python of the revision's environment, building it where it is not whole."""
    folder = place / "venv"
    python = folder / "bin" / "python"
    if (place / JOURNAL).is_file():
        return python
    if site.offline:
        raise ArmError(f"rev:{ref}: its environment was not built before, and offline none is")
    site.progress.say(f"rev:{ref}: building an environment for commit {commit[:12]}")
    shutil.rmtree(folder, ignore_errors=True)
    started, clock = datetime.now(timezone.utc).isoformat(timespec="seconds"), time.monotonic()
    wanted = _requirement(place / "checkout", ref)
    _run((sys.executable, "-m", "venv", str(folder)), f"rev:{ref}: no environment was made")
    pip = (str(python), "-E", "-m", "pip", "--disable-pip-version-check")
    _run((*pip, "install", "--quiet", wanted), f"rev:{ref}: it cannot be installed")
    packages = _run((*pip, "freeze"), f"rev:{ref}: pip lists nothing").split("\n")
    journal = Built(
        commit=commit,
        asked_as=ref,
        python=_version(),
        requirement=wanted.rpartition("/")[2],
        packages=tuple(line for line in packages if line and " @ file:" not in line),
        started=started,
        seconds=round(time.monotonic() - clock, 1),
    )
    encoded = msgspec.json.format(msgspec.json.encode(journal))
    written = place / f"{JOURNAL}.part"
    written.write_bytes(encoded + b"\n")
    written.replace(place / JOURNAL)
    return python


def _requirement(checkout: Path, ref: str) -> str:
    try:
        project = tomllib.loads((checkout / "pyproject.toml").read_text()).get("project", {})
        extras = project.get("optional-dependencies", {})
    except (OSError, UnicodeDecodeError, AttributeError, tomllib.TOMLDecodeError) as error:
        raise ArmError(f"rev:{ref}: its pyproject.toml cannot be read: {error}") from error
    return f"{checkout}[{EXTRA}]" if EXTRA in extras else str(checkout)


def _worker(python: Path) -> Worker:
    # Not resolved: the link in an environment's bin is what makes it that environment. -E: no
    # PYTHONPATH of this one may reach into it.
    return Worker(command=(str(python), "-E", "-m", "steelyard.worker"))


def _works(python: Path) -> str:
    """Return the version of steelyard in an environment; raise ArmError where it has none."""
    if not (python.is_file() and os.access(python, os.X_OK)):
        raise ArmError(
            f"env:{python}: expected the Python of an environment, as in env:.venv/bin/python"
        )
    lacks = f"{python}: this environment cannot run a worker; install steelyard[edge] in it"
    return _run((str(python), "-E", "-c", _PROBE), lacks)


def _git(folder: Path, *arguments: str) -> str:
    what = f"git {arguments[0]} {arguments[-1]} failed; is this the repository, and the revision?"
    return _run(("git", "-C", str(folder.absolute()), *arguments), what)


def _run(command: Sequence[str], lacks: str) -> str:
    """Return what a command prints; raise ArmError with `lacks` and the end of its complaint."""
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/")
    except OSError as error:
        raise ArmError(f"{lacks}\n{command[0]}: {error.strerror}") from error
    if done.returncode:
        tail = "\n".join(done.stderr.strip().splitlines()[-TAIL:])
        raise ArmError(f"{lacks}\n{tail}")
    return done.stdout.strip()


def _version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
