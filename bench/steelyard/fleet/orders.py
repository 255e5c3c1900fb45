"""What passes between a device's worker and its measuring process: JSON lines, both ways."""

from __future__ import annotations

from msgspec import Struct

from steelyard.store import RunHeader


class Assignment(Struct, frozen=True, kw_only=True):
    """The first line in. `folder` is where runs of this fleet run are kept on the device.

    `parent` is the process that started this one: without it, it ends.
    """

    bundle: str
    folder: str
    cache: str
    parent: int
    patterns: tuple[str, ...] = ()
    fresh: bool = False


class Line(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A line out."""


class Begun(Line, frozen=True, kw_only=True, tag="begun"):
    """The bundle is verified and unpacked; `run` is the run folder that records go to."""

    run: str
    header: RunHeader
    cells: tuple[str, ...]


class Kept(Line, frozen=True, kw_only=True, tag="kept"):
    """The cell that was ordered is in the journal."""

    cell: str


class Said(Line, frozen=True, kw_only=True, tag="said"):
    """Something that a person may want to read."""

    message: str


class Unable(Line, frozen=True, kw_only=True, tag="unable"):
    """It cannot be done, and why, as one line."""

    reason: str


AnyLine = Begun | Kept | Said | Unable
