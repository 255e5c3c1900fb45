"""What this device is, what state it is in, and what it can measure."""

from __future__ import annotations

from steelyard.host.identity import cores, identify, out_of_memory_kills

__all__ = ["cores", "identify", "out_of_memory_kills"]
