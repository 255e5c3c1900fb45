"""How long work tells what it does; silent unless the caller passes something that talks."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Literal, Protocol

Unit = Literal["B", "items"]


class Bar(Protocol):
    """One piece of work under way."""

    def advance(self, amount: float) -> None:
        """Count `amount` more of the bar's unit as done."""
        ...


class Progress(Protocol):
    """Where long work reports to."""

    def say(self, message: str) -> None:
        """Tell one line that a user may want to read."""
        ...

    def bar(self, what: str, total: float | None, unit: Unit) -> AbstractContextManager[Bar]:
        """Open a bar as a context manager; `total` is None where it is not known."""
        ...

    def step(self, what: str) -> AbstractContextManager[None]:
        """Show to who watches what is under way until the block ends; draw nothing meanwhile."""
        ...


class About:
    """Progress whose lines begin with what they are about."""

    def __init__(self, progress: Progress, what: str) -> None:
        self._progress = progress
        self._what = what

    def say(self, message: str) -> None:
        """Tell one line."""
        self._progress.say(f"{self._what}: {message}")

    def bar(self, what: str, total: float | None, unit: Unit) -> AbstractContextManager[Bar]:
        """Open a bar."""
        return self._progress.bar(f"{self._what}: {what}", total, unit)

    def step(self, what: str) -> AbstractContextManager[None]:
        """Show what is under way."""
        return self._progress.step(f"{self._what}: {what}")


class Silent:
    """Progress that says nothing."""

    def say(self, message: str) -> None:
        """Say nothing."""

    @contextmanager
    def bar(self, what: str, total: float | None, unit: Unit) -> Generator[Bar, None, None]:  # noqa: ARG002
        """Open a bar that shows nothing."""
        yield _SilentBar()

    @contextmanager
    def step(self, what: str) -> Generator[None, None, None]:  # noqa: ARG002
        """Show nothing."""
        yield


class _SilentBar:
    def advance(self, amount: float) -> None:
        pass
