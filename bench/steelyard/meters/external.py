"""An external meter: a command that prints timestamped watts (docs/meters.md)."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from steelyard.api import Trace
from steelyard.errors import MeterError
from steelyard.host.machine import Machine
from steelyard.meters.feed import Launch, launch
from steelyard.meters.listening import Listening, Settings, read_settings
from steelyard.meters.recording import Clock

WHERE = "etc/steelyard/meter.toml"
VARIABLE = "STEELYARD_METER"

NOT_SET_UP = (
    f"no external meter is set up: write /{WHERE}, or name a file in {VARIABLE}, with "
    'command = ["reader", "--port", "/dev/ttyUSB0"], accuracy = 0.01 and scope = "wall" '
    "(docs/meters.md)"
)


class Surroundings(Struct, frozen=True, kw_only=True):
    """What an external meter touches beside the machine; tests put their own here."""

    environment: Mapping[str, str]
    launch: Launch = launch
    which: Callable[[str], str | None] = shutil.which
    clock: Clock = time.monotonic_ns
    unix_ns: Clock = time.time_ns


class External:
    """Runs a command and listens to its lines on a thread of its own."""

    name = "external"

    def __init__(
        self,
        machine: Machine,
        settings: Settings | None = None,
        around: Surroundings | None = None,
    ) -> None:
        self._machine = machine
        self._settings = settings
        self._around = around or Surroundings(environment=os.environ)
        self._listening: Listening | None = None

    def refuse(self) -> str | None:
        """Say that no meter is set up, that its file is wrong, or that its command is missing."""
        try:
            settings = self._find()
        except MeterError as error:
            return str(error)
        if settings is None:
            return NOT_SET_UP
        if self._around.which(settings.command[0]) is None:
            return f"external meter: no command '{settings.command[0]}' on this machine"
        return None

    def start(self) -> None:
        """Run the command and wait for its first line."""
        settings = self._find()
        if settings is None:
            raise MeterError(NOT_SET_UP)
        since_1970_ns = self._around.clock() - self._around.unix_ns()
        self._listening = Listening(settings, self._around.clock, since_1970_ns)
        self._listening.start(self._around.launch)

    @property
    def pid(self) -> int | None:
        """The command's process: its work is ours and not foreign to a measurement."""
        return None if self._listening is None else self._listening.pid

    def stop(self) -> Trace:
        """Wait for a line from after this moment, end the command, return what it said."""
        if self._listening is None:
            raise MeterError(f"{self.name}: stopped without having been started")
        return self._listening.stop(self.name)

    def _find(self) -> Settings | None:
        if self._settings is not None:
            return self._settings
        named = self._around.environment.get(VARIABLE)
        if named is None:
            text = self._machine.read(WHERE)
            return None if text is None else read_settings(text, f"/{WHERE}")
        try:
            return read_settings(Path(named).read_text(encoding="utf-8"), named)
        except OSError as error:
            raise MeterError(f"{VARIABLE}={named}: {error.strerror}") from error
