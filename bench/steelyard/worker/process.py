"""What this process and its children have used, by the kernel's own count."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from steelyard.footprint import Absent, MemoryReading
from steelyard.worker import gpu

ROOT = Path("/")
# A kB of proc(5) is 1024 bytes.
_SIZES = re.compile(r"(?m)^(Vm\w+|Rss\w+):\s+(\d+) kB$")
_PSS = re.compile(r"(?m)^Pss:\s+(\d+) kB$")

OfGpu = Callable[[Sequence[int]], int | Absent]


def peak_bytes(root: Path = ROOT, pid: int | str = "self") -> int | None:
    """Return VmHWM. Not ru_maxrss, which a child inherits from a fat parent."""
    return _status(root, pid).get("VmHWM")


def reset_peak(root: Path = ROOT, pid: int | str = "self") -> bool:
    """Set VmHWM back to the present RSS (proc(5), clear_refs); return whether it worked."""
    try:
        (root / f"proc/{pid}/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def reading(pid: int, root: Path = ROOT, of_gpu: OfGpu = gpu.used_bytes) -> MemoryReading:
    """Return what the process holds now, with its children.

    Takes milliseconds (PSS walks the page tables), and NVML's library grows the process: read
    `peak_bytes` first, and never within a timed region.
    """
    family = tree(pid, root)
    status = _status(root, pid)
    proportional = proportional_bytes(family, root)
    on_gpu = of_gpu(family)
    absent: list[Absent] = []
    if proportional is None:
        absent.append(Absent(quantity="memory_proportional", reason="PSS cannot be read"))
    if isinstance(on_gpu, Absent):
        absent.append(on_gpu)
    return MemoryReading(
        resident=status.get("VmRSS"),
        anonymous=status.get("RssAnon"),
        file=status.get("RssFile"),
        shared=status.get("RssShmem"),
        address_space_peak=status.get("VmPeak"),
        proportional=proportional,
        processes=len(family),
        gpu=None if isinstance(on_gpu, Absent) else on_gpu,
        absent=tuple(absent),
    )


def tree(pid: int, root: Path = ROOT) -> tuple[int, ...]:
    """Return the process and its descendants, the process first.

    From every process's parent: the list in /proc/PID/task/TID/children is not reliable while
    children run (proc(5)), and not every kernel has it.
    """
    parents = _parents(root)
    family = [pid]
    for member in family:
        family += sorted(child for child, parent in parents.items() if parent == member)
    return tuple(family)


def proportional_bytes(pids: Sequence[int], root: Path = ROOT) -> int | None:
    """Return the sum of the processes' PSS; None where one of them cannot be read.

    A process that has ended meanwhile holds nothing.
    """
    total, seen = 0, 0
    for pid in pids:
        try:
            total += _pss(root / f"proc/{pid}")
            seen += 1
        except (FileNotFoundError, ProcessLookupError):
            continue
        except (OSError, ValueError):
            return None
    return total if seen else None


def _pss(process: Path) -> int:
    # The roll-up came with Linux 4.14; JetPack 4 has 4.9, where the mappings are summed here.
    rolled = process / "smaps_rollup"
    text = (rolled if rolled.exists() else process / "smaps").read_text()
    return sum(int(kib) * 1024 for kib in _PSS.findall(text))


def _parents(root: Path) -> dict[int, int]:
    """Return the parent of every process that can be seen."""
    found: dict[int, int] = {}
    for path in root.glob("proc/[0-9]*/stat"):
        try:
            # The name in brackets may itself hold spaces and brackets (proc(5), stat).
            found[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
    return found


def _status(root: Path, pid: int | str) -> dict[str, int]:
    """Return the fields of /proc/PID/status that are sizes, in bytes."""
    try:
        text = (root / f"proc/{pid}/status").read_text(errors="replace")
    except OSError:
        return {}
    # Not each line that ends in kB: the process's name is in this file too.
    return {name: int(kib) * 1024 for name, kib in _SIZES.findall(text)}
