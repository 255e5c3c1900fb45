"""Read stretches of source files, labelled by what the files' names end in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import accumulate
from pathlib import Path

from msgspec import Struct

from steelyard.api import Item, Label
from steelyard.card import Option
from steelyard.errors import PrepareError
from steelyard.readers.rows import Row, Shared, decode_options, items_of


class SourceOptions(Shared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which files are of which language, and how much of them is an item.

    `endings` maps the end of a file's name to a label; the longest that fits counts. A stretch has
    at most `max_chars` characters and at least `min_chars`. `per_group` bounds the items of a label
    from one project, `per_label` those of a label; the choice is made by hash.
    """

    endings: dict[str, str]
    max_chars: int = 600
    min_chars: int = 150
    longest_line: int = 400
    per_group: int = 20
    per_label: int = 60


class _Stretch(Struct, frozen=True, kw_only=True):
    where: str
    project: str
    label: str
    text: str


class SourceFiles:
    """Reader `source-files`: each file of the card is an extracted archive, a project."""

    def read(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> list[Item]:
        """Return one stretch a source file, grouped by project.

        Files that are not UTF-8, too short, or written by a machine (a line longer than
        `longest_line`) are left out, and so is a text that an earlier file has.
        """
        how = decode_options(options, SourceOptions)
        if not 0 < how.min_chars <= how.max_chars:
            raise PrepareError("reader.options: expected 0 < min_chars <= max_chars")
        found = [one for name in sorted(paths) for one in _stretches(paths[name], name, how)]
        return items_of(_rows(_chosen(_distinct(found), how), how), labels, how, "source files")


def _stretches(root: Path, project: str, how: SourceOptions) -> Iterator[_Stretch]:
    """Yield a stretch of each file of a project."""
    if not root.is_dir():
        raise PrepareError(f"{project}: expected an archive with `extract`")
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        label = _label(path.name, how.endings)
        where = f"{project}/{path.relative_to(root).as_posix()}"
        text = None if label is None else _stretch(path.read_bytes(), where, how)
        if label is not None and text is not None:
            yield _Stretch(where=where, project=project, label=label, text=text)


def _label(name: str, endings: Mapping[str, str]) -> str | None:
    fitting = [ending for ending in endings if name.endswith(ending)]
    return endings[max(fitting, key=len)] if fitting else None


def _stretch(data: bytes, where: str, how: SourceOptions) -> str | None:
    """Return whole lines from a place chosen by hash, or None where the file is no good item.

    Not the file's beginning: half of all files begin with a licence, which is in English.
    """
    try:
        lines = data.decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError:
        return None
    if max(map(len, lines)) > how.longest_line:
        return None
    sizes = accumulate(len(line) + 1 for line in reversed(lines))
    starts = sum(size > how.min_chars for size in sizes)  # lines with enough after them
    if not starts:
        return None
    text = _cut(lines[_draw(where) % starts :], how.max_chars)
    return text if len(text.strip()) >= how.min_chars else None


def _cut(lines: Iterable[str], most: int) -> str:
    """Return as many whole lines as fit into `most` characters."""
    kept: list[str] = []
    size = 0
    for line in lines:
        size += len(line) + 1
        if size > most + 1:
            break
        kept.append(line)
    return "\n".join(kept).rstrip()


def _distinct(found: Iterable[_Stretch]) -> list[_Stretch]:
    """Return the stretches whose text no earlier one has, spaces aside."""
    first: dict[str, _Stretch] = {}
    for one in found:
        first.setdefault(" ".join(one.text.split()), one)
    return list(first.values())


def _chosen(found: Iterable[_Stretch], how: SourceOptions) -> list[_Stretch]:
    """Return at most `per_label` of each label, spread evenly over the projects that have it."""
    by_source: dict[tuple[str, str], list[_Stretch]] = defaultdict(list)
    for one in found:
        by_source[one.label, one.project].append(one)
    ranked: dict[str, list[tuple[int, int, _Stretch]]] = defaultdict(list)
    for (label, _), members in by_source.items():
        members.sort(key=lambda one: _draw(one.where))
        for rank, one in enumerate(members[: how.per_group]):
            ranked[label].append((rank, _draw(one.where), one))
    kept = [
        one
        for label in ranked.values()
        for _, _, one in sorted(label, key=lambda entry: entry[:2])[: how.per_label]
    ]
    return sorted(kept, key=lambda one: one.where)


def _rows(chosen: Iterable[_Stretch], how: SourceOptions) -> Iterator[Row]:
    for one in chosen:
        yield Row(
            where=one.where,
            text=one.text,
            label=one.label,
            id=f"{how.prefix}-{one.where}",
            group=one.project,
        )


def _draw(where: str) -> int:
    return int.from_bytes(sha256(where.encode()).digest()[:8], "big")
