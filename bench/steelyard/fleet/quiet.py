"""Dask's settings in a fleet: nothing is run twice or elsewhere, and workers keep quiet."""

from __future__ import annotations

import warnings
from typing import Any

SETTINGS: dict[str, Any] = {
    # What happens is told in our words, once; Dask tells it with tracebacks, from every side.
    "logging": dict.fromkeys(("distributed", "distributed.client", "bokeh", "tornado"), "critical"),
    # A cell whose worker died is reported, never given to another worker.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.active-memory-manager.start": False,
    # Silence on a connection; else a pulled cable is noticed after 30 s.
    "distributed.comm.timeouts.tcp": "15s",
    "distributed.comm.timeouts.connect": "10s",
    "distributed.comm.compression": False,
    # What a worker does of its own accord, it does while calls are timed: by default it samples
    # the stack 100 times a second, its memory 10 times, its event loop 50 times, the GIL 1000.
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "60s",
    "distributed.admin.tick.interval": "5s",
    "distributed.admin.tick.limit": "60s",
    "distributed.admin.tick.cycle": "30s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.diagnostics.nvml": False,
    # Their address and port would be one more thing to guard, and nobody reads them on a board.
    "distributed.worker.http.routes": [],
    "distributed.scheduler.http.routes": ["distributed.http.health"],
}


def settle() -> None:
    """Put the settings in force in this process, whatever Dask's own files say."""
    from dask import config

    config.set(SETTINGS)
    # Of a memory card, on which nothing is kept that anybody waits for.
    warnings.filterwarnings("ignore", message="Creating scratch directories")
