"""A task's verdict in words, with its pairs as a table."""

from __future__ import annotations

from steelyard.report import pairs
from steelyard.report.html.sheets import table
from steelyard.report.html.view import Judged
from steelyard.verdict import TaskVerdict, words

EXPECTED = {
    "small": "small wins",
    "large": "large wins",
    "open": "open",
    None: "nothing is known of it",
}


def judged(verdict: TaskVerdict) -> Judged:
    """Return a task's verdict in words."""
    return Judged(
        outcome=words.OUTCOMES[verdict.outcome],
        reason=verdict.reason,
        expected=EXPECTED[verdict.expectation],
        pairs=table(pairs.sheet(verdict), f"{verdict.task}: each pair of models"),
    )
