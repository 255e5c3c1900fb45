"""Files of weights as they were published: linked, not copied, and counted by their headers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from math import prod
from pathlib import Path
from typing import Any

import msgspec

from steelyard.errors import PrepareError

# safetensors' own limit for a header.
LONGEST_HEADER = 100_000_000


def link(source: Path, target: Path) -> None:
    """Give a file a second name; copy it where the file system allows none.

    Gigabytes of weights are not kept twice. The artefact's hashes tell if somebody writes into it.
    """
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def parameters(paths: Iterable[Path]) -> int:
    """Count the stored weights of safetensors and ONNX files."""
    total = 0
    for path in paths:
        if path.suffix == ".safetensors":
            total += sum(prod(one["shape"]) for one in header(path).values())
        elif path.suffix == ".onnx":
            total += _onnx_weights(path)
    return total


def header(path: Path) -> dict[str, Any]:
    """Return what a safetensors file says of each tensor; raise PrepareError if it is none.

    The format: eight bytes with the header's length, little-endian, then that much JSON.
    """
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= min(LONGEST_HEADER, path.stat().st_size - 8):
            raise PrepareError(f"{path.name}: not a safetensors file")
        said = stream.read(length)
    try:
        found = msgspec.json.decode(said, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise PrepareError(f"{path.name}: not a safetensors file: {error}") from error
    found.pop("__metadata__", None)
    return found


def _onnx_weights(path: Path) -> int:
    import onnx

    graph = onnx.load(str(path), load_external_data=False).graph
    return sum(prod(tensor.dims) for tensor in graph.initializer)
