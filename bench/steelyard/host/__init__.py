"""What this device is, what state it is in, and what it can measure."""

from __future__ import annotations

from steelyard.host.accelerators import no_cuda
from steelyard.host.identity import cores, identify, out_of_memory_kills

__all__ = ["cores", "identify", "no_cuda", "out_of_memory_kills"]
