"""Read short texts that people rated: the sign of the mean rating is the label."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from steelyard.api import Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.rows import (
    Row,
    Shared,
    decode_options,
    items_of,
    named_path,
    only_name,
    read_text,
)


class RatedOptions(Shared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the ratings stand and what they are called.

    Ratings within `neutral` of 0 are left out: the raters did not decide, so neither answer would
    be right. `member` is the file below an extracted folder.
    """

    positive: str
    negative: str
    file: str | None = None
    member: str = ""
    neutral: float = 0.0
    encoding: str = "utf-8"


class RatedSnippets:
    """Reader `rated-snippets`: lines of `GROUP_NUMBER <tab> mean rating <tab> text`."""

    def read(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> list[Item]:
        """Return the rated texts, grouped by what stands before the last `_` of their id."""
        how = decode_options(options, RatedOptions)
        name = only_name(paths, how.file)
        path = named_path(paths, name) / how.member if how.member else named_path(paths, name)
        if not path.is_file():
            raise PrepareError(f"{name}: no file {how.member!r} in it")
        return items_of(_rows(path, how.member or name, how), labels, how, name)


def _rows(path: Path, name: str, how: RatedOptions) -> Iterator[Row]:
    """Yield the texts that have a side."""
    for number, line in enumerate(read_text(path, name, how.encoding).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{name}:{number}"
        cells = line.rstrip("\r").split("\t")
        if len(cells) != 3:
            raise PrepareError(f"{where}: {len(cells)} columns, expected id, mean rating, text")
        rating = _rating(cells[1], where)
        if abs(rating) > how.neutral:
            yield Row(
                where=where,
                text=cells[2].strip(),
                label=how.positive if rating > 0 else how.negative,
                id=f"{how.prefix}-{cells[0]}",
                group=cells[0].rpartition("_")[0] or cells[0],
            )


def _rating(cell: str, where: str) -> float:
    """Return a finite rating."""
    try:
        rating = float(cell)
    except ValueError:
        rating = math.nan
    if not math.isfinite(rating):
        raise PrepareError(f"{where}: rating {cell!r}, expected a number")
    return rating
