"""What a session is asked: an item's text, or its array read from the task's data.

Where an item has both, a model that is asked in words gets the text, any other the array.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from steelyard.api import Item
from steelyard.errors import WorkerError
from steelyard.job import JobPart


class Payloads:
    """Gives items what is asked of them. Reading an array is not part of a timed call."""

    def __init__(self, arrays: Any = None, *, in_words: bool = False) -> None:
        """Take the open arrays of the items, where they have any."""
        self._arrays = arrays
        self._in_words = in_words

    def __call__(self, item: Item) -> Any:
        """Return the item's text or array."""
        if item.array is None or (self._in_words and item.text):
            return item.text
        if self._arrays is None:
            raise WorkerError(f"item {item.id} has an array, but the job names no folder of them")
        return self._arrays[item.array.row]


def payloads(part: JobPart) -> Payloads:
    """Return what gives the part's items their payload."""
    in_words = part.spec.prompt is not None
    if part.arrays is None:
        return Payloads(in_words=in_words)
    from steelyard.arrays import Arrays

    return Payloads(Arrays(Path(part.arrays)), in_words=in_words)
