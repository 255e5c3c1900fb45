"""Time as the worker sees it, and waiting for a moment in it."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec import Struct


class Clock(Struct, frozen=True, kw_only=True):
    """Where time comes from; tests put a virtual one here.

    `now` is CLOCK_MONOTONIC in nanoseconds, which the parent reads too. A sleep wakes up to
    `spin_ns` late (timer slack, a deep idle state), so the last of a wait is spun.
    """

    now: Callable[[], int] = time.monotonic_ns
    sleep: Callable[[float], None] = time.sleep
    spin_ns: int = 500_000


def wait_until(due_ns: int, clock: Clock) -> None:
    """Return at `due_ns`, at once where it has passed."""
    now = clock.now
    left = due_ns - now() - clock.spin_ns
    if left > 0:
        clock.sleep(left / 1e9)
    while now() < due_ns:
        pass
