"""Listen to an external meter's lines, and place them in this machine's time."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from steelyard.api import Channel, Trace
from steelyard.errors import MeterError
from steelyard.meters.feed import Feed, Launch
from steelyard.meters.lines import parse
from steelyard.meters.recording import Clock, shortened

# How long the first line, and the line after the end, are waited for.
FIRST_LINE_S = 15.0
LAST_LINE_S = 5.0
NS = 1_000_000_000

CLOCKS = {
    "unix": "times are the meter's seconds since 1970; a clock set meanwhile shifts them",
    "relative": "times are the meter's own seconds, placed by the line that came quickest",
    "arrival": "the meter says no times: a line counts from when it came",
}


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the meter is run and what its data sheet says.

    `accuracy` is the data sheet's limit as a fraction. `clock` says what the lines' seconds are:
    "unix" (since 1970), "relative" (since any moment), "arrival" (no seconds in the lines).
    """

    command: Annotated[tuple[str, ...], Meta(min_length=1)]
    accuracy: Annotated[float, Meta(gt=0, lt=1)]
    scope: Literal["board", "wall"] = "wall"
    clock: Literal["unix", "relative", "arrival"] = "unix"
    resolution_w: Annotated[float, Meta(gt=0)] | None = None
    name: str = "power"


def read_settings(text: str, where: str) -> Settings:
    """Return the settings in a TOML text; raise MeterError naming `where` and the key."""
    try:
        return msgspec.toml.decode(text, type=Settings)
    except (msgspec.MsgspecError, ValueError) as error:
        raise MeterError(f"{where}: {error} (docs/meters.md)") from error


class Listening:
    """The lines of one recording. `since_1970_ns` is the monotonic clock less the Unix clock."""

    def __init__(self, settings: Settings, clock: Clock, since_1970_ns: int) -> None:
        self._settings = settings
        self._clock = clock
        self._offset_ns = since_1970_ns if settings.clock == "unix" else 0
        self._rows: list[tuple[int, float]] = []
        self._bad: list[str] = []
        self._faults: list[str] = []
        self._changed = threading.Condition()
        self._feed: Feed | None = None
        self._thread = threading.Thread(target=self._listen, name="steelyard-meter", daemon=True)
        self._ended = False

    def start(self, launch: Launch) -> None:
        """Run the command; return with its first reading, or when there will be none."""
        try:
            self._feed = launch(self._settings.command)
        except OSError as error:
            self._faults.append(f"{self._settings.command[0]}: {error}")
            return
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._rows or self._ended, FIRST_LINE_S)
            if not self._rows:
                self._faults.append("no reading came after the start")

    @property
    def pid(self) -> int | None:
        """The command's process, while there is one."""
        return None if self._feed is None else self._feed.pid

    def stop(self, meter: str) -> Trace:
        """Return the trace."""
        if self._feed is not None:
            self._finish(self._feed)
        settings, rows = self._settings, list(self._rows)
        return Trace(
            meter=meter,
            method="sampled",
            scope=settings.scope,
            covers=("board",),
            channels=(
                Channel(
                    name=settings.name,
                    unit="W",
                    times_ns=tuple(time_ns + self._offset_ns for time_ns, _ in rows),
                    values=tuple(watts for _, watts in rows),
                    resolution=settings.resolution_w,
                ),
            ),
            # A data sheet's limit a is a/sqrt(3) as a standard uncertainty (GUM 4.3.7).
            gain_uncertainty=settings.accuracy / 3**0.5,
            update_interval_s=_interval_s(rows),
            notes=(f"lines of: {' '.join(settings.command)}", CLOCKS[settings.clock]),
            faults=(*self._faults, *self._bad_lines()),
        )

    def _finish(self, feed: Feed) -> None:
        now_ns = self._clock()
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._reached(now_ns), LAST_LINE_S)
        how = feed.close()
        self._thread.join(LAST_LINE_S)
        if how is not None:
            self._faults.append(f"{self._settings.command[0]} {how}")

    def _reached(self, now_ns: int) -> bool:
        return bool(self._rows) and self._rows[-1][0] + self._offset_ns >= now_ns

    def _listen(self) -> None:
        try:
            for text in self._feed.lines() if self._feed else ():
                self._hear(text)
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _hear(self, text: str) -> None:
        arrived_ns = self._clock()
        try:
            line = parse(text, timed=self._settings.clock != "arrival")
        except MeterError as error:
            self._bad.append(str(error))
            return
        if line is None:
            return
        time_ns = arrived_ns if line.time_s is None else round(line.time_s * NS)
        if self._rows and time_ns <= self._rows[-1][0]:
            self._bad.append(f"time does not go on in {text.strip()[:60]!r}")
            return
        with self._changed:
            if self._settings.clock == "relative":
                # The line that was the quickest to come says best where the meter's zero lies.
                behind = arrived_ns - time_ns
                self._offset_ns = min(behind, self._offset_ns) if self._rows else behind
            self._rows.append((time_ns, line.power_w))
            self._changed.notify_all()

    def _bad_lines(self) -> list[str]:
        if not self._bad:
            return []
        return [f"{len(self._bad)} lines are no readings: {'; '.join(shortened(self._bad))}"]


def _interval_s(rows: list[tuple[int, float]]) -> float | None:
    """Return the median time between lines."""
    gaps = sorted(after - before for (before, _), (after, _) in pairwise(rows))
    return gaps[len(gaps) // 2] / NS if gaps else None
