"""The fixture boards, for tests."""

from __future__ import annotations

from pathlib import Path

from steelyard.host.machine import Machine, Userland, recorded

FOLDER = Path(__file__).parent.parent / "fixtures" / "devices"
BOARDS = (
    "amd-desktop",
    "cloud-vm",
    "jetson-agx-orin",
    "jetson-nano",
    "jetson-orin-nx",
    "jetson-thor",
    "jetson-xavier",
    "laptop-rapl",
    "pi3",
    "pi4",
    "pi5",
)


def board(name: str) -> Machine:
    """Return a fixture board."""
    return recorded(FOLDER / name)


def made(root: Path, files: dict[str, str], machine: str = "aarch64", bits: int = 64) -> Machine:
    """Return a machine without commands, of the given files."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Machine(
        root=root,
        ask=lambda _: None,
        userland=Userland(machine=machine, bits=bits, page_size=4096, cores=4, ticks_hz=100),
    )
