"""Whether quantisation helped: warnings with their numbers, and the likely cause where known."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from steelyard.record import Host
from steelyard.stats import Difference

# Medians of single processes differ by as much without a cause (measuring.md, two speeds).
TOLERANCE = 0.05

# What onnxruntime's 8-bit and 4-bit kernels want; one of them is enough (devices.md).
_WANTED = {"x86": ("avx512_vnni", "avx_vnni", "amx_int8"), "arm": ("asimddp", "i8mm")}
_FAMILIES = {"x86_64": "x86", "amd64": "x86", "aarch64": "arm", "arm64": "arm"}
_INTEGERS = ("int8", "int4")
_BITS = {"fp32": 32, "fp16": 16, "bf16": 16, "int8": 8, "int4": 4}


class Against(Struct, frozen=True, kw_only=True):
    """A variant against its parent, each by its precision.

    `speed` is the parent's median over the variant's; `memory` and `size` are the variant's peak
    and bytes on disk over the parent's; `accuracy` is variant less parent. None: not measured.
    """

    precision: str
    parent: str
    speed: float | None = None
    memory: float | None = None
    size: float | None = None
    accuracy: Difference | None = None


def warnings(pair: Against, host: Host | None = None) -> tuple[str, ...]:
    """Return what speaks against the variant; nothing unless it has fewer bits than its parent.

    Only with the host's flags known is a missing one named, and only as a likely cause.
    """
    bits, before = _BITS.get(pair.precision), _BITS.get(pair.parent)
    if bits is None or before is None or bits >= before:
        return ()
    return tuple(_warnings(pair, host))


def missing_features(precision: str, host: Host) -> tuple[str, ...]:
    """Return the instructions that fast kernels want and this processor lacks all of.

    Empty where one is there, where the flags are not known, and for precisions that need none.
    """
    wanted = _WANTED.get(_FAMILIES.get(host.machine.lower(), ""), ())
    if precision not in _INTEGERS or not host.flags or set(wanted) & set(host.flags):
        return ()
    return wanted


def _warnings(pair: Against, host: Host | None) -> Iterator[str]:
    failed = list(_failed(pair))
    if failed:
        cause = _cause(pair, host)
        yield f"quantisation did not help: {', '.join(failed)}{f'; {cause}' if cause else ''}."
    if pair.accuracy is not None and pair.accuracy.high < 0:
        difference, low, high = (100 * value for value in pair.accuracy)
        yield (
            f"quantisation cost accuracy: {difference:+.2f} points [{low:+.2f},{high:+.2f}], "
            "the whole interval below 0."
        )


def _failed(pair: Against) -> Iterator[str]:
    if _slow(pair):
        yield f"{pair.speed:.2f} times its parent's speed (under {1 + TOLERANCE:g} is no gain)"
    if pair.memory is not None and pair.memory > 1 - TOLERANCE:
        yield f"{pair.memory:.2f} of its parent's peak memory (over {1 - TOLERANCE:g} is no gain)"
    if pair.size is not None and pair.size >= 1:
        yield f"{pair.size:.2f} of its parent's size"


def _slow(pair: Against) -> bool:
    return pair.speed is not None and pair.speed < 1 + TOLERANCE


def _cause(pair: Against, host: Host | None) -> str | None:
    missing = missing_features(pair.precision, host) if host is not None else ()
    # An emulator's speed tells nothing of the instructions it offers.
    if not missing or not _slow(pair) or (host is not None and host.emulated):
        return None
    return f"a likely cause is that this processor has none of {', '.join(missing)}"
