"""Rows -> checked, distinct, sampled rows and a count of all that was left out, in one pass.

Memory is bounded by `cap`, not by the file: of more rows than that, those with the smallest hash
of seed and text are kept. That is a uniform sample of the distinct texts, the same whatever the
order of the rows, and a repeat of a kept text is known as one.
"""

from __future__ import annotations

import heapq
import unicodedata
from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b

from msgspec import Struct

from steelyard.errors import DataError
from steelyard.weigh.rows import Cells, Raw
from steelyard.weigh.times import Moment, moment

MAX_TEXT = 100_000
MAX_LABEL = 200
MAX_LABELS = 1000
FEWEST_ROWS = 10


class Rules(Struct, frozen=True, kw_only=True):
    """How many rows are kept, and which share of the file may be unusable."""

    cap: int = 20_000
    seed: int = 0
    max_bad: float = 0.05


class Kept(Struct, frozen=True, kw_only=True):
    """A row that may train or test."""

    line: int
    text: str
    label: str
    group: str | None = None
    moment: Moment | None = None


class Bad(Struct, frozen=True, kw_only=True):
    """Lines left out for one reason, and the first of them."""

    reason: str
    lines: int
    first: int


class Intake(Struct, frozen=True, kw_only=True):
    """What came of a file. `read` counts rows, `repeats` those with a text that another row has.

    `conflicts` are the repeats under another label. Where `sampled` rows were not kept for want
    of room, repeats are known among the kept texts only. `lonely` are the labels of a single row,
    which can be learned or tested but not both: they are left out.
    """

    rows: tuple[Kept, ...]
    read: int
    bad: tuple[Bad, ...] = ()
    repeats: int = 0
    conflicts: int = 0
    sampled: int = 0
    lonely: tuple[str, ...] = ()

    @property
    def labels(self) -> Counter[str]:
        """Return how many kept rows each label has."""
        return Counter(row.label for row in self.rows)


def take(rows: Iterable[Raw], name: str, rules: Rules) -> Intake:
    """Check all rows and keep what is usable; raise DataError where that is not enough."""
    desk = _Desk(rules, name)
    for row in rows:
        desk.put(row)
    return desk.done()


class _Desk:
    """Rows on their way in."""

    def __init__(self, rules: Rules, name: str) -> None:
        self._rules = rules
        self._name = name
        self._key = rules.seed.to_bytes(8, "little", signed=True)
        self._kept: dict[int, Kept] = {}
        self._heap: list[int] = []
        self._bad: dict[str, list[int]] = {}
        self._labels: set[str] = set()
        self._read = self._repeats = self._conflicts = self._sampled = 0

    def put(self, row: Raw) -> None:
        """Take in one row."""
        if not isinstance(row, Cells):
            self._read += row.lines
            self._leave_out(row.reason, row.line, row.lines)
            return
        self._read += 1
        checked = _checked(row)
        if isinstance(checked, str):
            self._leave_out(checked, row.line)
            return
        self._labels.add(checked.label)
        if len(self._labels) > MAX_LABELS:
            raise DataError(
                f"{self._name}: more than {MAX_LABELS} different labels; is that the label's "
                "column? A number to be estimated or a free text is no label"
            )
        self._keep(checked)

    def _leave_out(self, reason: str, line: int, lines: int = 1) -> None:
        count = self._bad.setdefault(reason, [0, line])
        count[0] += lines

    def _keep(self, row: Kept) -> None:
        """Keep the row if its text's hash is among the smallest."""
        body = " ".join(row.text.split()).encode()
        rank = -int.from_bytes(blake2b(body, digest_size=16, key=self._key).digest(), "big")
        if len(self._heap) == self._rules.cap and rank < self._heap[0]:
            self._sampled += 1
            return
        before = self._kept.get(rank)
        if before is not None:
            self._repeats += 1
            self._conflicts += before.label != row.label
            if row.moment is not None and before.moment is not None and row.moment < before.moment:
                self._kept[rank] = row
            return
        self._kept[rank] = row
        if len(self._heap) < self._rules.cap:
            heapq.heappush(self._heap, rank)
            return
        self._sampled += 1
        del self._kept[heapq.heappushpop(self._heap, rank)]

    def done(self) -> Intake:
        """Return all that was kept and counted; refuse what cannot be learned from."""
        bad = [Bad(reason=r, lines=n, first=first) for r, (n, first) in self._bad.items()]
        bad.sort(key=lambda one: (-one.lines, one.first))
        self._check_share(bad)
        rows = sorted(self._kept.values(), key=lambda row: row.line)
        counts = Counter(row.label for row in rows)
        lonely = tuple(sorted(label for label, n in counts.items() if n == 1))
        rows = [row for row in rows if counts[row.label] > 1]
        self._check_labels(counts, rows)
        return Intake(
            rows=tuple(rows),
            read=self._read,
            bad=tuple(bad),
            repeats=self._repeats,
            conflicts=self._conflicts,
            sampled=self._sampled,
            lonely=lonely,
        )

    def _check_share(self, bad: list[Bad]) -> None:
        lines = sum(one.lines for one in bad)
        if self._read == 0:
            raise DataError(f"{self._name}: has a header and no rows")
        if lines > self._rules.max_bad * self._read:
            raise DataError(
                f"{self._name}: {lines} of {self._read} rows are unusable, more than "
                f"{self._rules.max_bad:.0%}: {said(bad)}; mend them, or allow more with --max-bad"
            )

    def _check_labels(self, counts: Counter[str], rows: list[Kept]) -> None:
        from steelyard.report.units import clean

        if len(counts) == 1:
            raise DataError(
                f"{self._name}: all rows have one label, {clean(next(iter(counts)))!r}: "
                "there is nothing to tell apart"
            )
        if len({row.label for row in rows}) < 2:
            raise DataError(
                f"{self._name}: of {len(counts)} labels fewer than two have more than one row: "
                "nothing can be learned and tested too; is that the label's column?"
            )
        if len(rows) < FEWEST_ROWS:
            raise DataError(
                f"{self._name}: {len(rows)} usable rows; {FEWEST_ROWS} are the fewest that can be "
                "split, and a hundred a label a fair beginning"
            )


def said(bad: Iterable[Bad]) -> str:
    """Return the reasons with their counts, the most frequent first."""
    return ", ".join(f"{one.lines} {one.reason} (first in line {one.first})" for one in bad)


def _checked(row: Cells) -> Kept | str:
    """Return the row, or why it is left out."""
    text, label = row.text, " ".join((row.label or "").split())
    if text is None or not text.strip():
        return "without a text"
    if len(text) > MAX_TEXT:
        return f"with a text over {MAX_TEXT:,} characters"
    if not label:
        return "without a label"
    if len(label) > MAX_LABEL:
        return f"with a label over {MAX_LABEL} characters"
    if not all(map(_harmless, label)):
        return "with control characters in the label"
    return _placed(row, text, label)


def _placed(row: Cells, text: str, label: str) -> Kept | str:
    """Return the row with its group and its time, or why it is left out."""
    group = None if row.group is None else " ".join(row.group.split())
    if group == "":
        return "without a group"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "with half a character (a lone surrogate)"
    when = None if row.time is None else moment(row.time)
    if row.time is not None and when is None:
        return "with a time that is neither ISO 8601 nor a number"
    return Kept(line=row.line, text=text, label=label, group=group, moment=when)


def _harmless(character: str) -> bool:
    return unicodedata.category(character) not in {"Cc", "Cs"}
