"""Read fail2ban's samples of log lines, each annotated whether a filter must match it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct, field, structs

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

_FAMILY = re.compile(r"[-/]")
_ANNOTATION = re.compile(r"#\s*failJSON:\s*(?P<json>\{.*\})\s*")


class LogOptions(Shared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an annotation's `match` means: `match` for true, `other` for false.

    `root` is the folder of the samples below an extracted one. Services of one program, which write
    alike, share a group: the file's name up to its first `-` or `/`, or what `families` says.
    """

    match: str
    other: str
    file: str | None = None
    root: str = ""
    families: dict[str, str] = field(default_factory=dict)


class _Annotation(Struct, frozen=True, kw_only=True):
    """What is said of the next line; the rest (time, host, desc) is for fail2ban's own tests."""

    match: bool


class Fail2banLogs:
    """Reader `fail2ban-logs`: one file a service, `# failJSON: {"match": ...}`, then its line."""

    def read(
        self,
        paths: Mapping[str, Path],
        options: Mapping[str, Option],
        labels: Sequence[Label],
    ) -> list[Item]:
        """Return the annotated lines, grouped by the program that wrote them.

        A line that one service's filter must match and another's must not has no answer of its
        own: all of its places are left out.
        """
        how = decode_options(options, LogOptions)
        name = only_name(paths, how.file)
        root = named_path(paths, name) / how.root
        if not root.is_dir():
            raise PrepareError(f"{name}: no folder {how.root or '.'!r} in it")
        files = sorted(path for path in root.rglob("*") if path.is_file())
        rows = [
            row for path in files for row in _rows(path, path.relative_to(root).as_posix(), how)
        ]
        return items_of(_agreed(rows), labels, how, name)


def _rows(path: Path, service: str, how: LogOptions) -> Iterator[Row]:
    """Yield the line after each annotation."""
    said: _Annotation | None = None
    group = how.families.get(service, _FAMILY.split(service)[0])
    # split("\n"), not splitlines(): a log line may hold other characters that end lines; and
    # attackers send bytes that are no UTF-8.
    lines = read_text(path, service, "utf-8", "replace").split("\n")
    for number, line in enumerate(lines, start=1):
        where = f"{service}:{number}"
        found = _ANNOTATION.fullmatch(line)
        if found is not None:
            said = _annotation(found["json"], where)
        elif said is not None and line.strip() and not line.startswith("#"):
            yield Row(
                where=where,
                text=line.strip(),
                label=how.match if said.match else how.other,
                id=f"{how.prefix}-{service}-{number}",
                group=group,
            )
            said = None
    if said is not None:
        raise PrepareError(f"{service}: the last annotation has no line")


def _annotation(text: str, where: str) -> _Annotation:
    """Decode what is said of a line."""
    try:
        return msgspec.json.decode(text, type=_Annotation)
    except msgspec.MsgspecError as error:
        raise PrepareError(f"{where}: annotation {text[:60]!r}: {error}") from error


def _agreed(rows: Sequence[Row]) -> list[Row]:
    """Leave out the texts that have both labels."""
    labels: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        labels[_plain(row)].add(row.label)
    kept = [row for row in rows if len(labels[_plain(row)]) == 1]
    return [structs.replace(row, body=_plain(row)) for row in kept]


def _plain(row: Row) -> str:
    return " ".join(row.text.split())
