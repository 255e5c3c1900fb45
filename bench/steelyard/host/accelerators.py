"""Whether a driver for an NVIDIA GPU is there, without loading any library of it."""

from __future__ import annotations

from steelyard.host.machine import Machine

# A PC's or a server's first GPU, a Jetson's, and WSL's door to the one of Windows.
DOORS = ("dev/nvidia0", "dev/nvhost-gpu", "dev/nvgpu/igpu0/as", "dev/dxg")


def no_cuda(machine: Machine | None = None) -> str | None:
    """Say why nothing can run on a CUDA GPU here, or return None: whether it can, a kernel tells.

    Containers on a host with a GPU lack the device files too, unless they are given them.
    """
    machine = machine or Machine()
    if any(machine.path(door).exists() for door in DOORS):
        return None
    doors = ", ".join(f"/{door}" for door in DOORS)
    return (
        f"no NVIDIA GPU is to be seen: none of {doors} is here; install its driver, or start the "
        "container with the GPU"
    )
