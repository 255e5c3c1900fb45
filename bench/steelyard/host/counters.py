"""What the kernel counts: pages, faults, processor time, swap. Pure."""

from __future__ import annotations

from msgspec import Struct

KIB = 1024


class Times(Struct, frozen=True, kw_only=True):
    """Processor seconds since boot, of all processors together.

    `busy_s` is what ran here: user (with nice and guests), system and interrupts. `stolen_s` is
    what the hypervisor gave to others meanwhile.
    """

    busy_s: float
    stolen_s: float | None = None


class Swap(Struct, frozen=True, kw_only=True):
    """Swap space: its size, what it holds, and whether it is compressed memory (zram)."""

    total_bytes: int
    used_bytes: int
    zram: bool = False


def named(text: str | None) -> dict[str, int]:
    """Return the counters of /proc/vmstat by name; lines that are not `name number` are skipped."""
    found: dict[str, int] = {}
    for line in (text or "").splitlines():
        name, _, value = line.partition(" ")
        if value.isascii() and value.isdigit():
            found[name] = int(value)
    return found


def times(stat: str | None, ticks_hz: int | None) -> Times | None:
    """Read the first line of /proc/stat, in ticks: user nice system idle iowait irq softirq steal.

    Order and unit: proc_stat(5). `guest` is already in `user`.
    """
    words = (stat or "").partition("\n")[0].split()
    if len(words) < 5 or words[0] != "cpu" or not ticks_hz:
        return None
    if not all(word.isascii() and word.isdigit() for word in words[1:]):
        return None
    user, nice, system, _idle, *later = (int(word) / ticks_hz for word in words[1:9])
    stolen = later[3] if len(later) > 3 else None
    return Times(busy_s=user + nice + system + sum(later[1:3]), stolen_s=stolen)


def swap(text: str | None) -> Swap | None:
    """Read /proc/swaps; a table without rows is a machine without swap."""
    if text is None or not text.startswith("Filename"):
        return None
    rows = [line.split() for line in text.splitlines()[1:]]
    if any(len(row) < 5 or not (row[-3] + row[-2]).isdecimal() for row in rows):
        return None
    return Swap(
        total_bytes=sum(int(row[-3]) for row in rows) * KIB,
        used_bytes=sum(int(row[-2]) for row in rows) * KIB,
        zram=any(row[0].startswith("/dev/zram") for row in rows),
    )


def kib(text: str | None, name: str) -> int | None:
    """Return in bytes the line `name:  1234 kB` of /proc/meminfo or /proc/self/status."""
    for line in (text or "").splitlines():
        key, _, value = line.partition(":")
        words = value.split()
        if key == name and len(words) == 2 and words[1] == "kB" and words[0].isdecimal():
            return int(words[0]) * KIB
    return None
