"""Progress for people: bars on a terminal, plain lines elsewhere; always on the standard error."""

from __future__ import annotations

import sys
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


class Talking:
    """Progress on the standard error."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr, highlight=False, markup=False, soft_wrap=True)

    def say(self, message: str) -> None:
        """Print one line."""
        self._console.print(message)

    @contextmanager
    def bar(self, what: str, total: float | None, unit: Unit) -> Generator[Bar, None, None]:
        """Show a bar while the work lasts; where the standard error is no terminal, nothing."""
        if not self._console.is_terminal:
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
