"""Replay recorded readings: a meter reads what another machine showed, without waiting.

A recording is a JSON file: where it comes from, and frames of what files and commands said when.
"""

from __future__ import annotations

import shlex
import threading
from pathlib import Path

import msgspec
from msgspec import Struct, field

from steelyard.errors import MeterError
from steelyard.host.machine import Machine
from steelyard.meters.recording import Pace

NS = 1_000_000_000


class Frame(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What changed at `time_s`. A file or command that is None is gone."""

    time_s: float
    files: dict[str, str | None] = field(default_factory=dict)
    commands: dict[str, str | None] = field(default_factory=dict)
    values: dict[str, float | None] = field(default_factory=dict)


class Recorded(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recording and its origin."""

    origin: str
    frames: tuple[Frame, ...]


class Replay:
    """Plays frames: the clock stands still within one, and waiting goes on to the next.

    `values` holds the numbers of the frames so far, for what is neither file nor command.
    """

    def __init__(self, recorded: Recorded, folder: Path) -> None:
        self._frames = recorded.frames
        self._folder = folder
        self._commands: dict[str, str | None] = {}
        self._at = 0
        self.values: dict[str, float | None] = {}
        self.machine = Machine(root=folder, ask=self._ask)
        self.pace = Pace(clock=self.clock, wait=self._wait)
        self._show()

    def clock(self) -> int:
        """Return the frame's moment in nanoseconds."""
        return round(self._frames[self._at].time_s * NS)

    def _ask(self, argv: tuple[str, ...]) -> str | None:
        return self._commands.get(shlex.join(argv))

    def _wait(self, stopped: threading.Event, seconds: float) -> bool:  # noqa: ARG002 - a Pace's
        if self._at + 1 == len(self._frames):
            return True
        self._at += 1
        self._show()
        return False

    def _show(self) -> None:
        frame = self._frames[self._at]
        self._commands.update(frame.commands)
        self.values.update(frame.values)
        for name, text in frame.files.items():
            path = self._folder / name
            if text is None:
                path.unlink(missing_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)


def read_recorded(path: Path) -> Recorded:
    """Return the recording in a JSON file; raise MeterError naming it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Recorded)
    except (OSError, msgspec.MsgspecError) as error:
        raise MeterError(f"{path}: not a recording of a meter: {error}") from error
