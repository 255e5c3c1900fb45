"""What the ledger says of a claim, and on what evidence."""

from __future__ import annotations

from typing import Literal

from steelyard.record import Recorded

Standing = Literal["supported", "refuted", "undecided", "not tested"]


class TaskEvidence(Recorded, frozen=True, kw_only=True):
    """What one task says of a claim, in one line of words with its figures.

    `of` says what the estimate is measured by, such as "memory", where a claim leaves that open.
    """

    task: str
    standing: Standing
    text: str
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    of: str | None = None


class ClaimResult(Recorded, frozen=True, kw_only=True):
    """One claim judged. `statement` and `rule` are the card's; `scope` limits it to what was run.

    `unit` says what the estimates are of ("times", "points", ...). `reason` is one sentence.
    `metric` is what was held against the threshold, `documents` who made the statement.
    """

    id: str
    statement: str
    rule: str
    standing: Standing
    reason: str
    scope: str
    unit: str
    tasks: tuple[TaskEvidence, ...] = ()
    metric: str = ""
    documents: tuple[str, ...] = ()


class Ledger(Recorded, frozen=True, kw_only=True):
    """All claims in the order of their file, and what was not done and might change them."""

    claims: tuple[ClaimResult, ...]
    not_done: tuple[str, ...] = ()
