"""Verify a bundle file by file and put it into the cache: nothing of it is used before."""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from steelyard import __version__, catalog, plan
from steelyard.bundle.types import CARDS, ENTRIES, FORMAT, LISTING, SCHEMA, Bundle, Listed, Unpacked
from steelyard.errors import PrepareError, SourceError
from steelyard.plan import PlannedCell
from steelyard.prepare import archive
from steelyard.prepare.cache import Cache
from steelyard.prepare.hashing import file_sha256, files_below

KIND = "bundles"
_ENTRY = re.compile(rf"{ENTRIES}/(artifacts|data|lineages)/([0-9a-f-]{{16,130}})/(.+)")
_CARD = re.compile(rf"{CARDS}/(tasks|models)/[a-z0-9][a-z0-9._-]{{0,63}}/card\.toml")


def unpack(path: Path, cache: Cache) -> Unpacked:
    """Put a bundle's entries into the cache and return its listing and its cards.

    Raises PrepareError where it is no bundle, another steelyard's, for another processor, or where
    a file is missing, additional or not what the listing says. Nothing is kept then.
    """
    if not path.is_file():
        raise PrepareError(f"{path}: no such file; {FORMAT}")
    with cache.workspace() as folder:
        try:
            archive.extract(path, ["**"], folder)
        except SourceError as error:
            raise PrepareError(f"{error}\n{FORMAT}") from error
        bundle = _listing(path, folder)
        _verify(path, folder, bundle)
        _adopt(folder, bundle.files, cache)
        key = hashlib.sha256((folder / LISTING).read_bytes()).hexdigest()
        with cache.build(KIND, key) as out:
            (folder / CARDS).rename(out / CARDS)
    home = cache.entry(KIND, key)
    assert home is not None, "a build that ended cleanly is in the cache"  # noqa: S101
    return Unpacked(bundle=bundle, cards=home / CARDS)


def cells(unpacked: Unpacked, cores: int) -> tuple[PlannedCell, ...]:
    """Return the bundle's cells as this device runs them: with as many threads as it has."""
    packed = {_work(cell) for cell in unpacked.bundle.cells}
    planned = plan.cells(unpacked.bundle.suite, catalog.only(unpacked.cards), cores)
    return tuple(one for one in planned if _work(one.cell.id) in packed)


def _work(cell: str) -> str:
    """Return a cell's id without its device."""
    return cell.rpartition("/")[0]


def _listing(path: Path, folder: Path) -> Bundle:
    try:
        bundle = msgspec.json.decode((folder / LISTING).read_bytes(), type=Bundle)
    except (OSError, msgspec.MsgspecError) as error:
        raise PrepareError(f"{path}: its {LISTING} cannot be read: {error}\n{FORMAT}") from error
    if bundle.schema != SCHEMA:
        raise PrepareError(f"{path}: schema {bundle.schema}, this steelyard reads {SCHEMA}")
    if bundle.tool_version != __version__:
        raise PrepareError(
            f"{path}: made by steelyard {bundle.tool_version}, this is {__version__}; "
            "install the same version on both sides"
        )
    here = platform.machine()
    if bundle.machine not in {None, here}:
        raise PrepareError(
            f"{path}: has artefacts for {bundle.machine}, this processor is {here}; "
            "make the bundle on a machine of this kind"
        )
    return bundle


def _verify(path: Path, folder: Path, bundle: Bundle) -> None:
    """Hold what was extracted against the listing, both ways."""
    listed = {one.name: one for one in bundle.files}
    if len(listed) < len(bundle.files):
        raise PrepareError(f"{path}: its listing names a file twice")
    there = {file.relative_to(folder).as_posix() for file in files_below(folder)} - {LISTING}
    for name in sorted(there ^ listed.keys()):
        what = "is not in the listing" if name in there else "is missing"
        raise PrepareError(f"{path}: {name} {what}")
    for one in bundle.files:
        if not (_ENTRY.fullmatch(one.name) or _CARD.fullmatch(one.name)):
            raise PrepareError(f"{path}: {one.name} has no place in a cache")
        found = folder / one.name
        if found.stat().st_size != one.size_bytes or file_sha256(found) != one.sha256:
            raise PrepareError(f"{path}: {one.name} is not what the listing says; copy it again")


def _adopt(folder: Path, files: Sequence[Listed], cache: Cache) -> None:
    """Move every entry that the cache has not into it."""
    matches = (_ENTRY.fullmatch(one.name) for one in files)
    for kind, key in sorted({(match[1], match[2]) for match in matches if match}):
        if cache.entry(kind, key) is not None:
            continue
        source = folder / ENTRIES / kind / key
        with cache.build(kind, key) as out:
            for file in files_below(source):
                target = out / file.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                file.rename(target)
