"""The index of sharded safetensors: which files it names, none of them outside its own folder."""

from __future__ import annotations

import re
from collections.abc import Collection

import msgspec
from msgspec import Struct

from steelyard.errors import Refusal

SUFFIX = ".safetensors.index.json"
# A plain name on every system: no separator, no drive, no device, nothing above the folder. Any
# other ending would be read as pickled weights by transformers.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,230}\.safetensors")
_SHOWN = 80


class _Index(Struct):
    weight_map: dict[str, str]


def named(index: bytes, where: str) -> tuple[str, ...]:
    """Return the files that an index names, sorted.

    Raises Refusal where it names none, or anything but a plain name of a safetensors file: an
    index comes from a stranger and is followed by the library that loads the weights.
    """
    try:
        found = sorted(set(msgspec.json.decode(index, type=_Index).weight_map.values()))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Refusal(f"{where}: no index of safetensors: {error}") from error
    if not found:
        raise Refusal(f"{where}: weight_map names no file")
    for name in found:
        if not _PLAIN.fullmatch(name):
            raise Refusal(
                f"{where}: weight_map names {name[:_SHOWN]!r}; a shard is a plain name beside its "
                "index, such as model-00001-of-00002.safetensors"
            )
    return tuple(found)


def check(index: bytes, present: Collection[str], where: str) -> None:
    """Raise Refusal unless all files that an index names are `present`."""
    for name in named(index, where):
        if name not in present:
            raise Refusal(f"{where}: weight_map names {name}, which is not among its files")
