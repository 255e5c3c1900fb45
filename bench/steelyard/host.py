"""What this device is: processor, memory, system, software. Facts that were read, never guessed."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from steelyard.record import Host

PACKAGES = ("steelyard", "numpy", "onnxruntime", "tokenizers", "fasttext-predict", "msgspec")
# The instruction sets that int8 and int4 kernels choose by (devices.md, onnxruntime on boards).
FLAGS = frozenset(
    [
        "avx2",
        "fma",
        "avx512f",
        "avx512_vnni",
        "avx_vnni",
        "amx_int8",
        "amx_bf16",
        "avx512_bf16",
        "asimd",
        "asimddp",
        "i8mm",
        "bf16",
        "sve",
    ]
)


def identify(root: Path = Path("/")) -> Host:
    """Return this machine's identity; `root` lets tests stand in a recorded tree."""
    cpuinfo = _read(root / "proc/cpuinfo")
    board = _read(root / "proc/device-tree/model").rstrip("\0\n")
    return Host(
        machine=platform.machine(),
        cpu=board or _field(cpuinfo, "model name") or platform.processor() or "unknown",
        cores=cores(),
        memory_bytes=psutil.virtual_memory().total,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        flags=_flags(cpuinfo),
        virtual=_virtual(root, cpuinfo),
        packages=_packages(),
    )


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def out_of_memory_kills(root: Path = Path("/")) -> int | None:
    """Return how often the kernel has killed for memory since boot; None where it does not say."""
    for line in _read(root / "proc/vmstat").splitlines():
        name, _, value = line.partition(" ")
        if name == "oom_kill":
            return int(value)
    return None


def _virtual(root: Path, cpuinfo: str) -> str | None:
    vendor = _read(root / "sys/class/dmi/id/sys_vendor").strip()
    if "hypervisor" in (_field(cpuinfo, "flags") or "").split():
        return vendor or "unnamed hypervisor"
    return None


def _flags(cpuinfo: str) -> tuple[str, ...]:
    line = _field(cpuinfo, "flags") or _field(cpuinfo, "Features") or ""
    return tuple(sorted(FLAGS & set(line.split())))


def _field(text: str, name: str) -> str | None:
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def _packages() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
