"""What a bundle says of itself."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from steelyard.plan import Suite

SCHEMA = 1
LISTING = "bundle.json"
CARDS = "cards"
ENTRIES = "cache"
FORMAT = f"a bundle is what `steelyard bundle` writes: a zip file with {LISTING} in it"


class Listed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of a bundle: its name there, with slashes, and its identity."""

    name: str
    sha256: str
    size_bytes: int


class Bundle(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The listing. `machine` is the only kind of processor it is for, None for any.

    `tool_version` has to be the reader's: another steelyard would build other artefacts of the
    same cards. `cells` are what was prepared.
    """

    schema: int
    tool_version: str
    suite: Suite
    cells: tuple[str, ...]
    files: tuple[Listed, ...]
    machine: str | None = None


class Packed(Struct, frozen=True, kw_only=True):
    """A bundle that was written."""

    path: Path
    size_bytes: int
    cells: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


class Unpacked(Struct, frozen=True, kw_only=True):
    """A bundle whose content is verified and in the cache; `cards` is the folder of its cards."""

    bundle: Bundle
    cards: Path
