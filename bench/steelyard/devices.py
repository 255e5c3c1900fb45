"""The devices that a suite can name: so many threads of the processor, or a CUDA GPU."""

from __future__ import annotations

import re
from typing import Literal

from steelyard import host, plugins
from steelyard.api import DeviceBackend
from steelyard.card import Variant
from steelyard.errors import CardError

CUDA = "cuda"
_DEVICE = re.compile(r"^(cpu-(\d+t|all)|cuda)$")

Processor = Literal["cpu", "cuda"]


def check(device: str, where: str) -> None:
    """Raise CardError for a device that cannot be meant."""
    if not _DEVICE.match(device) or device == "cpu-0t":
        raise CardError(f"{where}: expected cpu-1t, cpu-2t, ..., cpu-all or cuda, got {device!r}")


def processor(device: str) -> Processor:
    """Return what runs a model on a device, whatever its threads and its limit of memory."""
    return "cuda" if device.split("-", maxsplit=1)[0] == CUDA else "cpu"


def threads(device: str, cores: int) -> tuple[int, str | None]:
    """Return how many threads a device has, and why it cannot have them; beside a GPU all cores."""
    count = device.removeprefix("cpu-").removesuffix("t")
    wanted = cores if count in {"all", CUDA} else int(count)
    if wanted > cores:
        return wanted, f"{device} needs {wanted} cores, this process may use {cores}"
    return wanted, None


def no_cuda(variant: Variant) -> str | None:
    """Say why a variant cannot run on a GPU here, as far as that can be told before loading it."""
    backend = plugins.load("backends", variant.backend)
    if not isinstance(backend, DeviceBackend) or CUDA not in backend.devices:
        return f"backend {variant.backend!r} runs on the CPU only; put it on a device cpu-..."
    return host.no_cuda()
