"""Modelled energy: what a board of this kind would use for the work that its processor did."""

from __future__ import annotations

import os
from typing import Literal

from steelyard.api import Channel, Trace
from steelyard.errors import CardError, MeterError
from steelyard.host.machine import Machine
from steelyard.meters.recording import Pace, Readings, Recording, started
from steelyard.references import Board, Range, board_of, read_board

WHERE = "etc/steelyard/board.toml"
# Cheap to read, and 50 readings are 10 s; the kernel's own tick is 10 ms.
INTERVAL_S = 0.2
# /proc/stat, in this order: user nice system idle iowait irq softirq steal guest guest_nice.
# Guests are in user already; time stolen was spent by others.
WORKING = (0, 1, 2, 5, 6)

End = Literal["low", "high"]
ENDS: tuple[End, ...] = ("low", "high")


class Modelled:
    """P_idle * t + (P_max - P_idle) * CPU seconds / cores, as a range, of the whole board."""

    name = "modelled"

    def __init__(
        self, machine: Machine, pace: Pace | None = None, ticks_a_second: int | None = None
    ) -> None:
        self._machine = machine
        self._pace = pace or Pace()
        self._ticks = ticks_a_second
        self._recording: Recording | None = None
        self._cores = 1

    def refuse(self) -> str | None:
        """Say that nobody has said what this board uses, and how to say it."""
        try:
            board = self._board()
        except CardError as error:
            return str(error)
        if board is None:
            return _unknown(self._model())
        return None if cores_of(self._machine) else "no /proc/stat: CPU seconds are not known"

    def start(self) -> None:
        """Begin to record the processor's busy seconds."""
        self._cores = cores_of(self._machine)
        ticks = self._ticks or os.sysconf("SC_CLK_TCK")

        def read() -> tuple[float, ...]:
            return (busy_s(self._machine, ticks),)

        self._recording = Recording(read, 1, INTERVAL_S, self._pace)
        self._recording.start()

    def stop(self) -> Trace:
        """Return the least and the most energy that the board's figures allow."""
        readings = started(self._recording, self.name).stop()
        board = self._board()
        if board is None:
            raise MeterError(_unknown(self._model()))
        return Trace(
            meter=self.name,
            method="modelled",
            scope="board",
            covers=("board",),
            channels=tuple(_channel(end, board, readings, max(1, self._cores)) for end in ENDS),
            gain_uncertainty=0.0,
            update_interval_s=INTERVAL_S,
            notes=_notes(board),
            faults=readings.faults,
        )

    def _board(self) -> Board | None:
        own = self._machine.read(WHERE)
        return board_of(self._model()) if own is None else read_board(own, f"/{WHERE}")

    def _model(self) -> str:
        return (self._machine.read("proc/device-tree/model") or "").strip("\0\n ")


def busy_s(machine: Machine, ticks_a_second: int) -> float:
    """Return the seconds that all cores together have worked since boot."""
    first, _, _ = (machine.read("proc/stat") or "").partition("\n")
    name, *ticks = first.split()[:8] or [""]
    if name != "cpu" or len(ticks) <= max(WORKING) or not all(t.isdecimal() for t in ticks):
        raise MeterError("/proc/stat does not tell CPU times")
    return sum(int(ticks[i]) for i in WORKING) / ticks_a_second


def cores_of(machine: Machine) -> int:
    """Return how many cores are online, 0 where /proc/stat does not say."""
    lines = (machine.read("proc/stat") or "").splitlines()
    return sum(line.startswith("cpu") and line[3:4].isdecimal() for line in lines)


def modelled_j(board: Board, end: End, window_s: float, cpu_s: float, cores: int) -> float:
    """Return the least or the most energy of a window in which `cpu_s` core seconds were worked.

    P_idle * t + (P_max - P_idle) * CPU seconds / cores: linear in the load, as Fan, Weber and
    Barroso (ISCA 2007) found servers to be within 5 %.
    """
    idle_w, busy_w = (
        (board.idle_w.low, board.busy_w.low)
        if end == "low"
        else (board.idle_w.high, board.busy_w.high)
    )
    return idle_w * window_s + (busy_w - idle_w) * cpu_s / cores


def _channel(end: End, board: Board, readings: Readings, cores: int) -> Channel:
    times_ns, busy = readings.times_ns, readings.columns[0]
    return Channel(
        name=end,
        unit="J",
        times_ns=times_ns,
        values=tuple(
            modelled_j(board, end, 1e-9 * (time_ns - times_ns[0]), cpu_s - busy[0], cores)
            for time_ns, cpu_s in zip(times_ns, busy, strict=True)
        ),
        role=end,
    )


def _notes(board: Board) -> tuple[str, ...]:
    figures = f"{board.id}, idle {_said(board.idle_w)}, busy {_said(board.busy_w)}"
    return (
        f"modelled, not measured: {figures}",
        f"origin: {board.origin}",
        "all work on the machine is counted, whoever did it; GPU and disks are not",
    )


def _said(power: Range) -> str:
    return f"{power.low:g} to {power.high:g} W"


def _unknown(model: str) -> str:
    return (
        f"nobody has said what {model or 'this machine'} uses: write /{WHERE} with id, idle_w, "
        "busy_w and origin (docs/meters.md), or use an external meter"
    )
