"""Cold start: from the start of a fresh process to its first answer.

`cold_start` runs in that process, `drop_pages` before it, in the one that starts it.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import time
from pathlib import Path
from typing import Any, Literal

from steelyard.api import ImportingBackend, SessionSpec
from steelyard.loads import ColdStart, PageCache
from steelyard.worker.clock import Clock

STARTTIME = 22  # proc(5): the field of /proc/PID/stat, in ticks since boot
CLOCK_BOOTTIME = 7


def cold_start(
    backend: Any, spec: SessionSpec, payload: Any, began_ns: int | None, clock: Clock
) -> tuple[ColdStart, str]:
    """Open a session and answer one item; return the milestones and the label.

    `began_ns` is the parent's CLOCK_MONOTONIC just before it started this process; without it the
    kernel's own figure is taken, which counts in ticks of 10 ms.
    """
    resolution_ns = 1
    if began_ns is None:
        began_ns, resolution_ns = process_began(Path("/proc/self/stat").read_text(), clock)
    now = clock.now
    if isinstance(backend, ImportingBackend):
        backend.import_runtime(spec)
    imported = now()
    session = backend.open(spec)
    opened = now()
    label = session.decode(session.infer(session.encode(payload))).label
    answered = now()
    session.close()
    start = ColdStart(
        imported_ns=imported - began_ns,
        opened_ns=opened - began_ns,
        answered_ns=answered - began_ns,
        resolution_ns=resolution_ns,
    )
    return start, label


def process_began(
    stat: str, clock: Clock, ticks_a_second: int | None = None, since_boot_ns: int | None = None
) -> tuple[int, int]:
    """Return when a process began, on `clock`, and the resolution of that, in nanoseconds.

    `stat` is the text of /proc/PID/stat. A suspended machine's boot time runs on while
    CLOCK_MONOTONIC stands, hence the difference of both clocks now.
    """
    ticks = ticks_a_second or os.sysconf("SC_CLK_TCK")
    boot_ns = since_boot_ns or time.clock_gettime_ns(CLOCK_BOOTTIME)
    # The name, in brackets, may hold spaces and brackets; what follows the last one is fields 3 on.
    fields = stat[stat.rindex(")") + 1 :].split()
    tick_ns = 1_000_000_000 // ticks
    began_boot_ns = int(fields[STARTTIME - 3]) * tick_ns
    return clock.now() - (boot_ns - began_boot_ns), tick_ns


def drop_pages(folder: Path) -> PageCache:
    """Ask the kernel to drop the pages of the files below `folder`; tell what is still there.

    Pages that were never written back, that another process has mapped, or that lie on a memory
    file system stay, so the answer is looked up (mincore) and not assumed.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return page_cache(folder, "posix_fadvise")


def page_cache(folder: Path, method: Literal["posix_fadvise", "none"] = "none") -> PageCache:
    """Return how many pages of the files below `folder` are in memory."""
    pages, resident = 0, 0
    known = True
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        size = path.stat().st_size
        if not size:
            continue
        found = _resident(path, size)
        pages += -(-size // mmap.PAGESIZE)
        known = known and found is not None
        resident += found or 0
    return PageCache(method=method, pages=pages, resident=resident if known else None)


def _resident(path: Path, size: int) -> int | None:
    """Return how many pages of a file are in memory (mincore(2)), None where it does not tell."""
    libc = ctypes.CDLL(None, use_errno=True)
    states = (ctypes.c_ubyte * -(-size // mmap.PAGESIZE))()
    with path.open("rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY) as view:
        # A private mapping that is never written to; ctypes takes the address of nothing else.
        first = ctypes.c_ubyte.from_buffer(view)
        try:
            status = libc.mincore(
                ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(size), states
            )
        finally:
            del first  # or the mapping cannot be closed
    return None if status else sum(state & 1 for state in states)
