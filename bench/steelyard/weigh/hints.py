"""What a person should know of the data before believing a score."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from steelyard.api import Item
from steelyard.report.units import clean
from steelyard.weigh.division import FOLDS, Division
from steelyard.weigh.intake import Intake, said

_LOOKED_AT = 2_000
_MANY_LABELS = 50
_NUMBER = re.compile(r"^[+-]?\d+([.,]\d+)?$")
_SHOWN = 5


def of_intake(intake: Intake) -> Iterator[str]:
    """Yield what was left out, and why."""
    if intake.bad:
        lines = sum(one.lines for one in intake.bad)
        yield f"left out {lines} of {intake.read} rows: {said(intake.bad)}"
    if intake.repeats:
        under = f", {intake.conflicts} of them under another label" if intake.conflicts else ""
        yield (
            f"left out {intake.repeats} rows that repeat a text{under}: each text is either "
            "learned or tested"
        )
    if intake.sampled:
        yield (
            f"kept a sample of {len(intake.rows)} rows, seeded; {intake.sampled} more are in the "
            "file (--max-rows takes more)"
        )
    if intake.lonely:
        yield (
            f"left out {_listed(intake.lonely)}: one row each, which can be learned or tested, "
            "not both"
        )


def of_division(division: Division) -> Iterator[str]:
    """Yield what in the labels and texts makes scores mean less, or more, than they seem to."""
    items = division.items
    counts = Counter(item.label for item in items)
    rare = [label for label in sorted(counts) if counts[label] < FOLDS]
    if rare:
        yield f"fewer than {FOLDS} rows for {_listed(rare)}: their scores are a matter of luck"
    if all(_NUMBER.match(label) for label in counts):
        yield "the labels are numbers: taken as names, so that 1 is as far from 2 as from 9"
    if len(counts) > _MANY_LABELS:
        yield (
            f"{len(counts)} labels: a generalist is told them all in every prompt, and takes "
            "its time"
        )
    if division.how == "by-time":
        learned = {item.label for item in items if item.fold is None}
        new = sum(item.label not in learned for item in items if item.fold is not None)
        if new:
            yield f"{new} of {division.tested} test rows carry a label that no earlier row has"
    leak = leakage(items)
    if leak is not None:
        yield leak


def leakage(items: Sequence[Item]) -> str | None:
    """Say if most texts hold their own label word for word, and other labels seldom.

    Looked for in at most 2,000 texts, as whole words, whatever the case.
    """
    looked = items[:: max(1, len(items) // _LOOKED_AT)][:_LOOKED_AT]
    patterns = {
        label: re.compile(rf"(?<!\w){re.escape(label.casefold())}(?!\w)")
        for label in {item.label for item in looked}
    }
    own = other = 0
    for item in looked:
        text = item.text.casefold()
        # Plain search first: hundreds of patterns over thousands of texts take their time.
        found = {x for x, p in patterns.items() if x.casefold() in text and p.search(text)}
        own += item.label in found
        other += len(found - {item.label})
    share = own / len(looked)
    elsewhere = other / (len(looked) * max(1, len(patterns) - 1))
    if share < 0.5 or elsewhere > share / 2:
        return None
    return (
        f"{share:.0%} of the texts hold their own label word for word: is it written into them "
        "afterwards? Then the scores say nothing of new texts"
    )


def _listed(labels: Sequence[str]) -> str:
    some = ", ".join(clean(label) for label in labels[:_SHOWN])
    more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
    return f"{'label' if len(labels) == 1 else 'labels'} {some}{more}"
