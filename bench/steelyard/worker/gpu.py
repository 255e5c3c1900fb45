"""What processes hold on NVIDIA GPUs, as NVML lists it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from steelyard.footprint import Absent

QUANTITY = "memory_gpu"


def used_bytes(pids: Sequence[int], nvml: Any = None) -> int | Absent:
    """Return the bytes that `pids` hold on all GPUs at this moment, or why that is not known.

    `nvml` is the module pynvml (nvidia-ml-py), imported late: not every board has it.
    """
    try:
        nvml = nvml or import_module("pynvml")
    except ImportError:
        return _absent("nvidia-ml-py is not installed; try: pip install 'steelyard[energy]'")
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        return _absent(f"NVML does not start: {error}")
    try:
        held = [used for pid, used in _held(nvml) if pid in pids]
    except nvml.NVMLError as error:
        # A Jetson starts NVML and then answers Not Supported to most questions.
        return _absent(f"NVML does not list processes: {error}")
    finally:
        nvml.nvmlShutdown()
    known = [used for used in held if used is not None]
    if not held or len(known) < len(held):
        # Seen from another PID namespace the numbers differ, and nothing is ours.
        return _absent("NVML lists no memory for this process")
    return sum(known)


def _held(nvml: Any) -> Iterator[tuple[int, int | None]]:
    for index in range(nvml.nvmlDeviceGetCount()):
        device = nvml.nvmlDeviceGetHandleByIndex(index)
        for process in nvml.nvmlDeviceGetComputeRunningProcesses(device):
            yield process.pid, process.usedGpuMemory


def _absent(reason: str) -> Absent:
    return Absent(quantity=QUANTITY, reason=reason)
