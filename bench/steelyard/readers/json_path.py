"""Read items from one JSON document that holds a list of objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from steelyard.api import Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.fields import FieldOptions, check_options, lookup, row_of
from steelyard.readers.rows import Part, Row, chosen_files, decode_options, items_of, read_text


class PathOptions(FieldOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the list stands: a dotted path, or nothing if the document is the list."""

    list: str = ""


class JsonPath:
    """Reader `json-path`."""

    def read(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> list[Item]:
        """Return the list's objects of one file, or of a train and a test file."""
        how = decode_options(options, PathOptions)
        check_options(how)
        files = list(chosen_files(paths, how))
        rows = (row for name, path, part in files for row in _rows(path, name, part, how))
        return items_of(rows, labels, how, ", ".join(name for name, _, _ in files))


def _rows(path: Path, name: str, part: Part | None, how: PathOptions) -> Iterator[Row]:
    """Yield a document's rows; a row's place is its number in the list."""
    try:
        document = msgspec.json.decode(read_text(path, name, how.encoding))
    except msgspec.DecodeError as error:
        raise PrepareError(f"{name}: not JSON: {error}") from error
    found = lookup(document, how.list, name) if how.list else document
    if not isinstance(found, list):
        kind = type(found).__name__
        raise PrepareError(f"{name}: {how.list or 'the document'!r} is {kind}, expected a list")
    for number, value in enumerate(found):
        yield row_of(value, f"{name}: {how.list}[{number}]", part, how)
