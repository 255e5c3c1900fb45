"""What a worker holds in memory at one moment: a value that its job's messages carry."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct


class Absent(Struct, frozen=True, kw_only=True):
    """A quantity that could not be read, and why."""

    quantity: str
    reason: str


class MemoryReading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Bytes by the kernel's count (proc(5)); None where it does not say.

    `resident` (VmRSS) is `anonymous` (RssAnon) + `file` (RssFile: code and mapped weights, which
    the kernel may drop and read again) + `shared` (RssShmem). `proportional` is the PSS of
    the process and its children, `processes` of them: a page that n processes map counts 1/n.
    `address_space_peak` (VmPeak) is what RLIMIT_AS limits, counted since the process began.
    `gpu` is what NVML lists for these processes. `absent` says why a figure is not there.
    """

    resident: int | None = None
    anonymous: int | None = None
    file: int | None = None
    shared: int | None = None
    address_space_peak: int | None = None
    proportional: int | None = None
    processes: int = 1
    gpu: int | None = None
    absent: tuple[Absent, ...] = ()

    def quantities(self) -> Iterator[tuple[str, int]]:
        """Yield the name of each measurement that is there, and its bytes."""
        for name in _MEASURED:
            value: int | None = getattr(self, name)
            if value is not None:
                yield f"memory_{name}", value


_MEASURED = (
    "resident",
    "anonymous",
    "file",
    "shared",
    "address_space_peak",
    "proportional",
    "gpu",
)
