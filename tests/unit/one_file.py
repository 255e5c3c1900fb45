"""Read one file that a test wrote, or say why it cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from steelyard.api import Item, Label, Reader
from steelyard.errors import PrepareError

LABELS = (Label(id="acq", words="acquisition"), Label(id="earn", words="earnings"))


def read(reader: Reader, path: Path, content: str | bytes, **options: object) -> list[Item]:
    """Write one file and read it."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return reader.read({path.name: path}, options, LABELS)  # type: ignore[arg-type]


def refusal(reader: Reader, path: Path, content: str | bytes, **options: object) -> str:
    """Return what is said of a file that cannot be read."""
    with pytest.raises(PrepareError) as raised:
        read(reader, path, content, **options)
    return str(raised.value)
