"""Keep generated text in a Markdown file current, between two markers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from steelyard.errors import UnknownNameError
from steelyard.store import write_atomically


def replace(text: str, name: str, body: str, where: str = "the text") -> str:
    """Return `text` with `body` in the block `name`.

    Raises UnknownNameError, naming `where`, unless the block's two markers are there once each.
    """
    begin, end = f"<!-- steelyard:begin {name} -->", f"<!-- steelyard:end {name} -->"
    start, stop = text.find(begin), text.find(end)
    if text.count(begin) != 1 or text.count(end) != 1 or stop < start:
        raise UnknownNameError(
            f"{where}: no block {name!r}; it lies between one line {begin} and, after it, "
            f"one line {end}"
        )
    return f"{text[: start + len(begin)]}\n\n{body.strip()}\n\n{text[stop:]}"


def update(path: Path, blocks: Mapping[str, str]) -> bool:
    """Write the blocks into the file and tell whether that changed it."""
    before = path.read_text(encoding="utf-8")
    after = _replaced(before, blocks, path)
    if after != before:
        write_atomically(path, after.encode())
    return after != before


def is_current(path: Path, blocks: Mapping[str, str]) -> bool:
    """Tell whether the file already holds the blocks; write nothing."""
    before = path.read_text(encoding="utf-8")
    return _replaced(before, blocks, path) == before


def _replaced(text: str, blocks: Mapping[str, str], path: Path) -> str:
    for name, body in blocks.items():
        text = replace(text, name, body, str(path))
    return text
