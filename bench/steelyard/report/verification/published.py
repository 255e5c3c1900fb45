"""Published tables: byte for byte what this steelyard makes of the raw samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from steelyard import __version__
from steelyard.report import formats, markdown
from steelyard.report.exports import latex
from steelyard.report.rows import TaskTable
from steelyard.report.verification.lines import Line, ok, unchecked, wrong

Writer = Callable[[Iterable[TaskTable]], str]

TABLES: dict[str, Writer] = {
    ".md": markdown.text,
    ".csv": formats.csv_text,
    ".tex": latex.text,
}
# A page with blocks of its own making, such as a README.
_BLOCK = "<!-- steelyard:begin"
_SHOWN = 70


def tables(folder: Path, made: Sequence[TaskTable], others: Iterable[Path] = ()) -> Iterator[Line]:
    """Compare the tables in the folder, and `others`, with those made anew."""
    beside = sorted(path for path in folder.iterdir() if path.suffix in TABLES)
    pages = [path for path in beside if path.name != "README.md" or _BLOCK in _read(path)]
    checked = [*pages, *others]
    for path in checked:
        yield _table(path, made)
    if not checked:
        yield unchecked(
            "tables: none is published beside the run; "
            "`steelyard report RUN -f markdown -o RUN/table.md` writes one"
        )


def _table(path: Path, made: Sequence[TaskTable]) -> Line:
    writer = TABLES.get(path.suffix)
    if writer is None:
        return unchecked(f"{path.name}: only {', '.join(TABLES)} are made again")
    published, again = _read(path), writer(made)
    if published == again:
        return ok(f"{path.name}: byte for byte what the raw samples and predictions give")
    # No table at all is in every page.
    if _BLOCK in published and again.strip() and again.strip() in published:
        return ok(f"{path.name}: holds, byte for byte, what the raw samples and predictions give")
    return wrong(f"{path.name}: {_difference(published, again)}")


def _difference(published: str, again: str) -> str:
    """Say where a table first differs from what is made anew."""
    if _BLOCK in published:
        return f"does not hold the table that steelyard {__version__} makes of this run"
    pairs = zip(published.split("\n"), again.split("\n"), strict=False)
    for number, (there, here) in enumerate(pairs, start=1):
        if there != here:
            start = max(0, _first(there, here) - _SHOWN // 2)
            return (
                f"line {number}: {there[start : start + _SHOWN]!r} is published, steelyard "
                f"{__version__} makes {here[start : start + _SHOWN]!r}"
            )
    lines, made = len(published.splitlines()), len(again.splitlines())
    return f"has {lines} lines, steelyard {__version__} makes {made}"


def _first(there: str, here: str) -> int:
    return next(
        (place for place, (a, b) in enumerate(zip(there, here, strict=False)) if a != b),
        min(len(there), len(here)),
    )


def _read(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")
