"""What this process has used, by the kernel's own count."""

from __future__ import annotations

from pathlib import Path


def peak_bytes() -> int | None:
    """Return VmHWM. Not ru_maxrss, which a child inherits from a fat parent."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def reset_peak() -> bool:
    """Set VmHWM back to the present RSS (proc(5), clear_refs); return whether it worked."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True
