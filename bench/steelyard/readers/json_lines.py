"""Read items from JSON lines: one object a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from steelyard.api import Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.fields import FieldOptions, check_options, row_of
from steelyard.readers.rows import Part, Row, chosen_files, decode_options, items_of, read_text


class JsonLines:
    """Reader `json-lines`."""

    def read(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> list[Item]:
        """Return the objects of one file, or of a train and a test file."""
        how = decode_options(options, FieldOptions)
        check_options(how)
        files = list(chosen_files(paths, how))
        rows = (row for name, path, part in files for row in _rows(path, name, part, how))
        return items_of(rows, labels, how, ", ".join(name for name, _, _ in files))


def _rows(path: Path, name: str, part: Part | None, how: FieldOptions) -> Iterator[Row]:
    """Yield a file's rows; blank lines are nothing."""
    # split("\n"), not splitlines(): a JSON string may hold U+2028 unescaped.
    for number, line in enumerate(read_text(path, name, how.encoding).split("\n"), start=1):
        if line.strip():
            where = f"{name}:{number}"
            try:
                value = msgspec.json.decode(line)
            except msgspec.DecodeError as error:
                raise PrepareError(f"{where}: not one JSON object: {error}") from error
            yield row_of(value, where, part, how)
