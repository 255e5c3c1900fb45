"""Run codecarbon around a window, inside the process that works.

codecarbon takes the process that constructs it, and that one's children, for the tracked process
and can be told no other. So it runs in the worker, in the energy pass, never where calls are timed:
besides its readings a thread of its own wakes every second, which no setting stops (1.5 ms of CPU a
second, and 3 ms a reading, were seen on a machine with few processes).

With `allow_multiple_runs` it takes no lock: neither a stale file in the temporary folder can stop
it, nor does it put its own handlers in the place of the worker's for SIGINT and SIGTERM.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol, final

from steelyard.emissions import figures
from steelyard.emissions.figures import Run
from steelyard.emissions.grid import Atlas, CodecarbonAtlas, look_up
from steelyard.record import CodecarbonReading, CodecarbonSettings

# What it says of being run as we run it, or around an exception that is kept itself.
EXPECTED = (
    "Multiple instances of codecarbon are allowed",
    "graceful shutdown. Exceptions:",
    "stopping.",
    "We do not have data for None",
)
UNFINISHED = "the window has not ended"
SILENT = "codecarbon returned None, which is how it fails, and logged nothing"


class Tracker(Protocol):
    """What we use of codecarbon's tracker: `stop` returns kg, or None where it has failed."""

    def start(self) -> None: ...

    def stop(self) -> float | None: ...


# Returns a tracker that may write into the folder.
MakeTracker = Callable[[CodecarbonSettings, str], Tracker]


@final
class Tracked:
    """`with Tracked(settings) as window:` tracks this process; then `window.reading` is there.

    Entering takes a second or two: codecarbon looks for hardware. Its faults end in the reading,
    never in the block.
    """

    def __init__(
        self,
        settings: CodecarbonSettings,
        make: MakeTracker | None = None,
        atlas: Atlas | None = None,
    ) -> None:
        self.reading: CodecarbonReading = figures.nothing(settings, UNFINISHED)
        self._settings = settings
        self._make = make or offline_tracker
        self._atlas = atlas or CodecarbonAtlas()
        self._heard = Heard()
        self._around = ExitStack()
        self._tracker: Tracker | None = None

    def __enter__(self) -> Tracked:
        logger = logging.getLogger("codecarbon")
        logger.addFilter(self._heard)
        self._around.callback(logger.removeFilter, self._heard)
        folder = self._around.enter_context(tempfile.TemporaryDirectory(prefix="steelyard-"))
        try:
            self._tracker = self._make(self._settings, folder)
        except ImportError as error:
            reason = f"codecarbon: {error}\ntry: pip install 'steelyard[energy]'"
            self.reading = figures.nothing(self._settings, reason)
        else:
            self._tracker.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._around:
            if self._tracker is not None:
                self.reading = self._end(self._tracker)

    def _end(self, tracker: Tracker) -> CodecarbonReading:
        emitted = tracker.stop()
        data = getattr(tracker, "final_emissions_data", None)
        remarks = tuple(self._heard.lines)
        if emitted is None or data is None:
            reason = self._heard.fault or "; ".join(remarks) or SILENT
            return figures.nothing(self._settings, reason, _version())
        run = Run(
            settings=self._settings,
            version=data.codecarbon_version,
            cpu=figures.assumed(getattr(tracker, "_hardware", ())),
            grid=look_up(self._settings, self._atlas),
            remarks=remarks,
        )
        return figures.reading(data, run)


class Heard(logging.Filter):
    """Keeps codecarbon's warnings and lets none of its lines through to any handler.

    Its functions swallow their exceptions, log them and return None: `fault` is the first of them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.fault: str | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        text = " ".join(record.getMessage().split())
        if error is not None:
            text = f"{type(error).__name__}: {error}"
            self.fault = self.fault or f"codecarbon failed: {text}"
        told = record.levelno >= logging.WARNING and not text.startswith(EXPECTED)
        if told and text not in self.lines:
            self.lines.append(text)
        return False


def offline_tracker(settings: CodecarbonSettings, folder: str) -> Tracker:
    """Return codecarbon's offline tracker of this process, not started; it writes no files.

    Raises ImportError where it is not installed.
    """
    from codecarbon import OfflineEmissionsTracker

    tracker: Tracker = OfflineEmissionsTracker(**arguments(settings, folder))
    return tracker


def arguments(settings: CodecarbonSettings, folder: str) -> dict[str, Any]:
    """Return every argument of codecarbon's tracker that is not deprecated.

    What is not given it takes from CODECARBON_* variables and from .codecarbon.config in the home
    and the working folder: a country, another mode, a token that makes it ask the network.
    """
    place = {
        "country_iso_code": settings.country,
        "region": settings.region,
        "country_2letter_iso_code": None,
        "cloud_provider": None,
        "cloud_region": None,
        "force_carbon_intensity_g_co2e_kwh": None,
        "pue": 1.0,
        "wue": 0.0,
    }
    hardware = {
        "tracking_mode": settings.tracking_mode,
        "measure_power_secs": settings.interval_s,
        "gpu_ids": None,
        "force_cpu_power": settings.cpu_power_w,
        "force_ram_power": None,
        "force_mode_cpu_load": False,
        "rapl_include_dram": False,
        "rapl_prefer_psys": False,
    }
    return {**place, **hardware, **_silence(folder)}


def _silence(folder: str) -> dict[str, Any]:
    """Return what keeps codecarbon from files, the network, the standard error and its lock."""
    return {
        "allow_multiple_runs": True,
        "output_methods": [],
        "output_handlers": [],
        "output_dir": folder,
        "output_file": "emissions.csv",
        "on_csv_write": "append",
        "emissions_endpoint": None,
        # Empty, not None: None would let an older name of it in a configuration file through.
        "electricitymaps_api_token": "",
        "api_call_interval": -1,
        "api_endpoint": "",
        "api_key": "",
        "experiment_id": "",
        "experiment_name": "",
        "project_name": "steelyard",
        "prometheus_url": "",
        "logging_logger": None,
        "logger_preamble": "",
        "log_level": "warning",
        "metadata": None,
    }


def _version() -> str | None:
    try:
        return version("codecarbon")
    except PackageNotFoundError:
        return None
