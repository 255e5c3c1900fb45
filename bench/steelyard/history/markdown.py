"""A history as Markdown: the changes, then all runs."""

from __future__ import annotations

from collections.abc import Iterator

from steelyard.history import text, words
from steelyard.history.types import History
from steelyard.report import units
from steelyard.report.markdown import escape


def document(history: History) -> str:
    """Return the history as Markdown in which foreign names do nothing."""
    return "\n".join(_lines(history)) + "\n"


def _lines(history: History) -> Iterator[str]:
    yield f"### {escape(words.headline(history))}"
    yield ""
    for series in history.series:
        title = words.TITLES[series.quantity]
        yield f"- **{escape(title)}** `{text.spark(series.values)}`"
        yield from (
            f"  - {escape(words.sentence(series, change, history))}" for change in series.changes
        )
        if not series.changes:
            yield f"  - {words.none_found(series)}"
    yield from (f"- {escape(line)}" for line in words.absences(history))
    yield ""
    titles = [words.TITLES[series.quantity] for series in history.series]
    yield f"| {' | '.join(['started (UTC)', 'run', 'commit', *titles, 'changed', 'differs'])} |"
    yield f"|{' :-- |' * 3}{' --: |' * len(titles)} :-- | :-- |"
    yield from _rows(history)
    yield ""
    yield escape(words.RULE)


def _rows(history: History) -> Iterator[str]:
    marked = words.marked(history)
    for index, moment in enumerate(history.moments):
        cells = (
            words.day(moment.started),
            escape(units.clean(moment.run)),
            escape(words.commit(moment.commit)),
            *(words.amount(one.quantity, one.values[index]) for one in history.series),
            ", ".join(marked.get(index, ())),
            escape(units.clean(", ".join(moment.differs))),
        )
        yield f"| {' | '.join(cells)} |"
