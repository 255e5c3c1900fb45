"""Which label was taken for which: counted from predictions, shown as a matrix or as a list."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from steelyard.record import Prediction
from steelyard.report.units import clean

MOST_SHOWN = 12
LONGEST_NAME = 24
MOST_CONFUSIONS = 10


class Confusion(Struct, frozen=True, kw_only=True):
    """Counts by expected (row) and answered (column) label, in the order of `labels`."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    def mistakes(self) -> list[tuple[str, str, int]]:
        """Return (expected, answered, count) of what was taken for another, most often first."""
        found = [
            (expected, answered, n)
            for expected, row in zip(self.labels, self.counts, strict=True)
            for answered, n in zip(self.labels, row, strict=True)
            if n and expected != answered
        ]
        return sorted(found, key=lambda one: (-one[2], one[0], one[1]))


def confusion(predictions: Iterable[Prediction], labels: Sequence[str]) -> Confusion:
    """Count predictions over the task's labels, in their order."""
    pairs = Counter((one.expected, one.answer) for one in predictions)
    counts = tuple(tuple(pairs[row, column] for column in labels) for row in labels)
    return Confusion(labels=tuple(labels), counts=counts)


def text(matrix: Confusion) -> str:
    """Return the matrix with a recall a row; of many labels only what was confused most."""
    if len(matrix.labels) > MOST_SHOWN:
        return _confused(matrix)
    names = [_short(label) for label in matrix.labels]
    head = ["expected \\ answered", *names, "recall"]
    rows = [
        [name, *map(str, row), _recall(row[place], sum(row))]
        for place, (name, row) in enumerate(zip(names, matrix.counts, strict=True))
    ]
    return _aligned([head, *rows])


def csv_text(matrix: Confusion) -> str:
    """Return the whole matrix as CSV; a spreadsheet reads no label of it as a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    labels = [_harmless(label) for label in matrix.labels]
    writer.writerow(["expected \\ answered", *labels])
    for label, row in zip(labels, matrix.counts, strict=True):
        writer.writerow([label, *row])
    return out.getvalue()


def _confused(matrix: Confusion) -> str:
    mistakes = matrix.mistakes()
    if not mistakes:
        return f"None of {len(matrix.labels)} labels was taken for another.\n"
    head = ["expected", "answered", "times"]
    rows = [[_short(a), _short(b), str(n)] for a, b, n in mistakes[:MOST_CONFUSIONS]]
    more = len(mistakes) - len(rows)
    rest = f"and {more} more pairs\n" if more > 0 else ""
    return _aligned([head, *rows]) + rest


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = []
        for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
            gap = " " * (width - cell_len(cell))
            cells.append(cell + gap if place == 0 else gap + cell)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def _recall(right: int, n: int) -> str:
    return f"{right / n:.2f}" if n else "-"


def _short(label: str) -> str:
    shown = clean(label)
    return shown if len(shown) <= LONGEST_NAME else shown[: LONGEST_NAME - 1] + "…"


def _harmless(label: str) -> str:
    """Put an apostrophe before text that a spreadsheet would calculate (OWASP, CSV injection)."""
    return f"'{label}" if label.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else label
