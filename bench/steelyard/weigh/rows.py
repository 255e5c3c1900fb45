"""What passes from a file to the intake: cells by their role, or why there are none."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from steelyard.errors import UnknownNameError

Format = Literal["csv", "jsonl", "parquet"]

# A cell or a line this long is a fault in the file, and would have to be held in memory whole.
MAX_CELL = 8 << 20


class Columns(Struct, frozen=True, kw_only=True):
    """Which columns (or fields) hold what."""

    text: str
    label: str
    group: str | None = None
    time: str | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """Return the names of all columns that are read."""
        return tuple(x for x in (self.text, self.label, self.group, self.time) if x is not None)


class Cells(Struct, frozen=True, kw_only=True):
    """One row as it stands in the file; None where it has no such cell."""

    line: int
    text: str | None
    label: str | None
    group: str | None = None
    time: str | None = None


class Unreadable(Struct, frozen=True, kw_only=True):
    """Lines that are no row. `reason` is one of a few: they are counted by it."""

    line: int
    reason: str
    lines: int = 1


Raw = Cells | Unreadable


def written(value: Any) -> str | None:
    """Return a cell of JSON or Parquet as text; raise TypeError for lists and objects.

    Whole numbers lose their fraction, so that the label 3.0 of one file is the label 3 of another.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, dict, tuple, bytes, bytearray)):
        raise TypeError(type(value).__name__)
    return str(value)  # dates and decimals of Parquet


def row_of(line: int, columns: Columns, fields: dict[str, Any]) -> Raw:
    """Return the row that named fields hold."""
    try:
        said = {name: written(fields.get(name)) for name in columns.named}
    except TypeError:
        return Unreadable(line=line, reason="a cell is a list or an object")
    return Cells(
        line=line,
        text=said[columns.text],
        label=said[columns.label],
        group=said[columns.group] if columns.group else None,
        time=said[columns.time] if columns.time else None,
    )


def no_columns(name: str, columns: Columns, there: list[str]) -> UnknownNameError:
    """Say which column is missing, and what the file has; cells of data are not repeated."""
    from difflib import get_close_matches

    from steelyard.report.units import clean

    missing = next(column for column in columns.named if column not in there)
    near = get_close_matches(missing.casefold(), {x.casefold(): x for x in there}, n=1)
    names = {x.casefold(): x for x in there}
    if near:
        return UnknownNameError(
            f"{name}: no column {missing!r}; did you mean {clean(names[near[0]])!r}?"
        )
    # A file without a header would show a person's words here: only what looks like a name is.
    shown = [clean(x) for x in there if 0 < len(x) <= 30 and len(x.split()) <= 3][:12]
    has = f"it has {', '.join(map(repr, shown))}" if shown else "its first line names none"
    return UnknownNameError(f"{name}: no column {missing!r}; {has} (a header is needed)")
