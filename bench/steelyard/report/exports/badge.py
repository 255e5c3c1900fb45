"""A badge in SVG: how often a small model wins, in a picture that fetches nothing."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from steelyard.report.units import clean
from steelyard.verdict.types import TaskVerdict

LABEL = "steelyard"
# Neutral on purpose: the program takes no side. White on either has a contrast above 5 to 1.
_LEFT, _RIGHT = "#4a4a4a", "#2f6690"
_HEIGHT, _PAD, _CHARACTER = 20, 6, 6.1


def text(verdicts: Sequence[TaskVerdict]) -> str:
    """Return the badge of a run's verdicts as SVG; tasks without a pair have none."""
    judged = [one for one in verdicts if one.pairs]
    return svg(LABEL, _message(judged), _title(judged))


def svg(label: str, message: str, title: str) -> str:
    """Return a badge with an accessible title; any text is safe in it."""
    left, right = _width(label), _width(message)
    said = escape(clean(title))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{_HEIGHT}" '
        f'role="img" aria-label="{said}">\n'
        f"<title>{said}</title>\n"
        f'<rect width="{left}" height="{_HEIGHT}" fill="{_LEFT}"/>\n'
        f'<rect x="{left}" width="{right}" height="{_HEIGHT}" fill="{_RIGHT}"/>\n'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">\n'
        f"{_words(label, 0, left)}{_words(message, left, right)}"
        "</g>\n</svg>\n"
    )


def _message(verdicts: Sequence[TaskVerdict]) -> str:
    if not verdicts:
        return "no verdict"
    return f"small wins {_count(verdicts, 'wins')} of {len(verdicts)}"


def _title(verdicts: Sequence[TaskVerdict]) -> str:
    """Say against what, and what became of the rest: a badge is read without its report."""
    if not verdicts:
        return f"{LABEL}: no verdict"
    large = {pair.large.name for one in verdicts for pair in one.pairs}
    against = f" against {', '.join(sorted(large))}" if large else ""
    return (
        f"{LABEL}: of {len(verdicts)} tasks, a small model wins {_count(verdicts, 'wins')}, "
        f"loses {_count(verdicts, 'loses')}, {_count(verdicts, 'undecided')} undecided{against}"
    )


def _count(verdicts: Sequence[TaskVerdict], outcome: str) -> int:
    return sum(one.outcome == outcome for one in verdicts)


def _width(words: str) -> int:
    return round(len(clean(words)) * _CHARACTER) + 2 * _PAD


def _words(words: str, start: int, width: int) -> str:
    # textLength holds the words to the width whatever font the reader has.
    return (
        f'<text x="{start + _PAD}" y="14" textLength="{width - 2 * _PAD}">'
        f"{escape(clean(words))}</text>\n"
    )
