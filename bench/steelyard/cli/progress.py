"""Progress for people: bars on a terminal, plain lines elsewhere; always on the standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress

from steelyard.progress import Bar, Unit

# To the line's begin, and clear it (ECMA-48).
ERASE = "\r\x1b[2K"


class Talking:
    """Progress on the standard error; `verbose` also says every step, and how long it took."""

    def __init__(self, console: Console | None = None, *, verbose: bool = False) -> None:
        self._console = console or Console(
            file=sys.stderr, highlight=False, markup=False, soft_wrap=True
        )
        self._verbose = verbose
        # A log that wants colours is no screen: nothing can be taken back there.
        self._live = self._console.file.isatty() and not self._console.is_dumb_terminal
        self._shown = False

    def say(self, message: str) -> None:
        """Print one line."""
        self._erase()
        self._console.print(message)

    @contextmanager
    def step(self, what: str) -> Generator[None, None, None]:
        """Show what is under way: a line that goes away on a terminal, elsewhere with `verbose`.

        Drawn before and after, never while the step lasts: a pass may be timed within.
        """
        if self._verbose:
            self.say(what)
        elif self._live:
            self._show(what)
        began = time.monotonic()
        try:
            yield
        finally:
            self._erase()
        if self._verbose:
            self.say(f"{what.partition(',')[0]}: took {time.monotonic() - began:.0f} s")

    def _show(self, what: str) -> None:
        """Write a line that can be taken back: no longer than the terminal is wide."""
        self._erase()
        self._console.file.write(what[: self._console.width - 1])
        self._console.file.flush()
        self._shown = True

    def _erase(self) -> None:
        if self._shown:
            self._console.file.write(ERASE)
            self._console.file.flush()
            self._shown = False

    @contextmanager
    def bar(self, what: str, total: float | None, unit: Unit) -> Generator[Bar, None, None]:
        """Show a bar while the work lasts; elsewhere nothing, or with `verbose` its name."""
        if not self._console.is_terminal:
            if self._verbose:
                self.say(what)
            yield _Unseen()
            return
        columns: tuple[ProgressColumn, ...] = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn() if unit == "B" else MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        # A slow refresh, and only while a bar is open: no bar is open while calls are timed.
        with RichProgress(
            *columns, console=self._console, transient=True, refresh_per_second=2
        ) as shown:
            yield _Shown(shown, shown.add_task(what, total=total))


class _Shown:
    def __init__(self, progress: RichProgress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def advance(self, amount: float) -> None:
        self._progress.advance(self._task, amount)


class _Unseen:
    def advance(self, amount: float) -> None:
        pass
