"""Read a sensor on a thread of its own, and keep what it said and how it failed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from msgspec import Struct

from steelyard.errors import MeterError, SteelyardError

Clock = Callable[[], int]
Wait = Callable[[threading.Event, float], bool]
Read = Callable[[], tuple[float, ...]]

# A single lost reading is bridged by its neighbours; a sensor that stays silent has failed.
LOST_IN_A_ROW = 3
GIVE_UP_S = 10.0
FAULTS_KEPT = 5


class Pace(Struct, frozen=True, kw_only=True):
    """Where time comes from: `clock` in CLOCK_MONOTONIC ns; `wait` returns True to end.

    Tests and replays put recorded time here.
    """

    clock: Clock = time.monotonic_ns
    wait: Wait = threading.Event.wait


class Readings(Struct, frozen=True, kw_only=True):
    """What was read: one column a channel, all at `times_ns`."""

    times_ns: tuple[int, ...]
    columns: tuple[tuple[float, ...], ...]
    faults: tuple[str, ...] = ()


class Recording:
    """One recording of one sensor. `read` returns a value a channel, always as many."""

    def __init__(self, read: Read, channels: int, interval_s: float, pace: Pace) -> None:
        self._read = read
        self._channels = channels
        self._interval_s = interval_s
        self._pace = pace
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="steelyard-meter", daemon=True)
        self._rows: list[tuple[int, tuple[float, ...]]] = []
        self._faults: list[str] = []
        self._lost = 0
        self._began_ns = 0

    def start(self) -> None:
        """Take the first reading, then go on in the background."""
        self._began_ns = self._pace.clock()
        self._take()
        self._thread.start()

    def stop(self) -> Readings:
        """Take the last reading and return all of them."""
        self._stopped.set()
        self._thread.join(GIVE_UP_S)
        if self._thread.is_alive():
            self._faults.append(f"the sensor did not answer within {GIVE_UP_S:g} s")
        elif self._lost < LOST_IN_A_ROW:
            self._take()
        rows = list(self._rows)
        columns = zip(*(values for _, values in rows), strict=True) if rows else ()
        return Readings(
            times_ns=tuple(time_ns for time_ns, _ in rows),
            columns=tuple(columns) or ((),) * self._channels,
            faults=shortened(self._faults),
        )

    def _run(self) -> None:
        while self._lost < LOST_IN_A_ROW and not self._pace.wait(self._stopped, self._interval_s):
            self._take()

    def _take(self) -> None:
        before = self._pace.clock()
        try:
            values = self._read()
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise to: it is kept
            self._lost += 1
            self._faults.append(_told(error, (before - self._began_ns) / 1e9))
            return
        self._lost = 0
        # The sensor answered at some moment between the two; half the way errs least.
        moment = (before + self._pace.clock()) // 2
        if not self._rows or moment > self._rows[-1][0]:
            self._rows.append((moment, values))


def started(recording: Recording | None, meter: str) -> Recording:
    """Return the recording that runs; raise MeterError where there is none."""
    if recording is None:
        raise MeterError(f"{meter}: stopped without having been started")
    return recording


def shortened(faults: list[str]) -> tuple[str, ...]:
    """Return the first faults and how many more there were."""
    more = len(faults) - FAULTS_KEPT
    kept = tuple(faults[:FAULTS_KEPT])
    return (*kept, f"and {more} more faults") if more > 0 else kept


def _told(error: Exception, after_s: float) -> str:
    what = str(error) if isinstance(error, SteelyardError) else f"{type(error).__name__}: {error}"
    return f"{what} ({after_s:.1f} s after the start)"
