"""Start workers on a few boards over ssh: what each needs is sent, and ends with this process."""

from __future__ import annotations

import contextlib
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from steelyard.errors import FleetError, OptionError, Refusal
from steelyard.fleet import certificates, labels
from steelyard.fleet.addresses import Place

Say = Callable[[str], None]

# Below the home of who logs in there; written by nobody else.
FOLDER = ".config/steelyard/fleet"
# An answer for a password would have to be typed for every board, and none is kept here.
SSH = ("ssh", "-o", "BatchMode=yes", "-o", "ServerAliveInterval=15")


class Desk(Struct, frozen=True, kw_only=True):
    """A board: what it is called here and what `ssh` calls it."""

    label: str
    host: str


def desks(hosts: Sequence[str]) -> tuple[Desk, ...]:
    """Return the boards of HOST or LABEL=HOST; raise OptionError where two have one label."""
    found = tuple(_desk(text) for text in hosts)
    names = [one.label for one in found]
    for name in names:
        if names.count(name) > 1:
            raise OptionError(f"two boards are called '{name}'; write LABEL=HOST")
    return found


def _desk(text: str) -> Desk:
    label, named, host = text.partition("=")
    if not named:
        host = text
        bare = text.rpartition("@")[2].lower()
        label = re.sub(r"[^a-z0-9._-]", "-", bare).lstrip("._-")
    if not host or host.startswith("-"):
        raise OptionError(f"{text!r}: expected a host as ssh takes it, or LABEL=HOST")
    return Desk(label=labels.check(label, "HOST"), host=host)


def worker(one: Desk, place: Place, folder: Path | None, program: str) -> str:
    """Return the command that runs on the board."""
    tls = "--no-tls" if folder is None else f"--certificates {FOLDER}"
    url = place.url(secure=folder is not None)
    return f"{program} fleet worker --device {one.label} --scheduler {shlex.quote(url)} {tls}"


def lines(found: Sequence[Desk], place: Place, folder: Path | None, program: str) -> Iterator[str]:
    """Yield what a person would type to do the same."""
    for one in found:
        if folder is not None:
            own = folder / certificates.worker_file(one.label)
            both = shlex.join([str(folder / certificates.AUTHORITY), str(own)])
            host = shlex.quote(one.host)
            yield f"ssh {host} 'umask 077; mkdir -p {FOLDER}'; scp {both} {host}:{FOLDER}/"
        yield shlex.join(["ssh", "-tt", one.host, worker(one, place, folder, program)])


def start(found: Sequence[Desk], place: Place, folder: Path | None, program: str, say: Say) -> int:
    """Start all workers and wait for them; return 3 where one ended by itself.

    Raises Refusal without ssh, FleetError where a board cannot be reached.
    """
    if folder is not None:
        certificates.make(folder, [one.label for one in found])
        for one in found:
            _send(one, folder)
    children: list[tuple[Desk, subprocess.Popen[bytes]]] = []
    try:
        for one in found:
            # With a terminal of its own the worker ends when the connection does.
            command = [*SSH, "-tt", one.host, worker(one, place, folder, program)]
            children.append((one, subprocess.Popen(command, stdin=subprocess.DEVNULL)))
            say(f"{one.label}: started on {one.host}")
        statuses = [(one, child.wait()) for one, child in children]
    finally:
        _stop([child for _, child in children])
    for one, status in statuses:
        say(f"{one.label}: its worker ended with status {status}")
    return 3 if any(status for _, status in statuses) else 0


def _send(one: Desk, folder: Path) -> None:
    """Put the authority's certificate and the device's own file on a board."""
    for name in (certificates.AUTHORITY, certificates.worker_file(one.label)):
        target = f"{FOLDER}/{name}"
        script = f"umask 077; mkdir -p {FOLDER} && cat > {target}.new && mv {target}.new {target}"
        try:
            done = subprocess.run(
                [*SSH, one.host, script],
                input=(folder / name).read_bytes(),
                capture_output=True,
                check=False,
            )
        except FileNotFoundError as error:
            raise Refusal(
                "no program ssh here; install an OpenSSH client, or use --print"
            ) from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            last = said[-1] if said else f"ssh ended with status {done.returncode}"
            raise FleetError(f"{one.host}: {last}; try: ssh {one.host}")


def _stop(children: Sequence[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=20)
        if child.poll() is None:
            child.kill()
            child.wait()
