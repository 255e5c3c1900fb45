"""What the tests of meters share: recorded boards, replays, and an NVML that is none."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from steelyard.api import Channel, Meter, Trace
from steelyard.energy import Absent, Energy, energy_between
from steelyard.host.machine import Machine, recorded
from steelyard.meters.replay import Replay, read_recorded

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
NS = 1_000_000_000


def board(name: str) -> Machine:
    return recorded(FIXTURES / "devices" / name)


def replay(name: str, folder: Path, of_board: str | None = None) -> Replay:
    """Play `tests/fixtures/meters/NAME.json`, on a copy of a recorded board's files."""
    if of_board is not None:
        shutil.copytree(FIXTURES / "devices" / of_board / "tree", folder, dirs_exist_ok=True)
    return Replay(read_recorded(FIXTURES / "meters" / f"{name}.json"), folder)


def played(meter: Meter) -> Trace:
    """Start and stop: a replay is at its end by then."""
    meter.start()
    return meter.stop()


def joules(trace: Trace, start_s: float, end_s: float, channel: str | None = None) -> Energy:
    found = energy_between(trace, round(start_s * NS), round(end_s * NS), channel)
    assert isinstance(found, Energy), found
    return found


def absence(trace: Trace, start_s: float, end_s: float, channel: str | None = None) -> str:
    found = energy_between(trace, round(start_s * NS), round(end_s * NS), channel)
    assert isinstance(found, Absent), found
    return found.reason


def trace(*channels: Channel, **changes: Any) -> Trace:
    facts: dict[str, Any] = {
        "meter": "test",
        "method": "sampled",
        "scope": "board",
        "covers": ("board",),
        "channels": channels,
        "gain_uncertainty": 0.0,
    }
    return Trace(**{**facts, **changes})


class NotSupportedError(Exception):
    pass


class FakeNvml:
    """Answers from `values`: `energy-0` in mJ, `power-0` in mW; what is not there is refused."""

    NVMLError: type[Exception] = NotSupportedError

    def __init__(self, values: Mapping[str, float | None], gpus: int = 1) -> None:
        self._values = values
        self._gpus = gpus
        self.opened = 0

    def nvmlInit(self) -> None:  # noqa: N802
        self.opened += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.opened -= 1

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return self._gpus

    def nvmlDeviceGetHandleByIndex(self, index: int, /) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int, /) -> int:  # noqa: N802
        return self._answer(f"energy-{handle}")

    def nvmlDeviceGetPowerUsage(self, handle: int, /) -> int:  # noqa: N802
        return self._answer(f"power-{handle}")

    def _answer(self, name: str) -> int:
        value = self._values.get(name)
        if value is None:
            raise NotSupportedError(name)
        return int(value)
