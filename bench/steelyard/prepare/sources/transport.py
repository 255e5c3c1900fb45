"""What a way to get bytes looks like; tests pass their own."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from steelyard.card import GeneratorSource, HubSource, Part

Advance = Callable[[int], None]
PartTransport = Callable[[Part, Path, Advance], Path]


class Transports(Struct, frozen=True, kw_only=True):
    """One callable a kind of source; each raises `SourceError` with its reason.

    A registry's transport gets an empty folder, tells the bytes it has received and returns the
    archive's path. `hub` gets an empty folder and returns the file's path; `generator` writes it.
    """

    registries: Mapping[str, PartTransport]
    hub: Callable[[HubSource, Path], Path]
    generator: Callable[[GeneratorSource, Path], None]


def disk_is_full(error: Exception) -> bool:
    """Tell whether an error is the cache's, so that trying another source is of no use."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
