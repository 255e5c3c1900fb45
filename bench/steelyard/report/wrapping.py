"""Sentences in a pipe: wrapped to lines that a pager, a log and a diff can show."""

from __future__ import annotations

import textwrap

WIDTH = 100


def wrapped(text: str, indent: int = 0, hang: int | None = None) -> str:
    """Return a sentence in lines of at most `WIDTH`; words, and so paths and names, stay whole.

    Lines after the first are indented by `hang`, by default a little more than the first.
    """
    if hang is None:
        hang = indent + 2 if indent else 0
    return textwrap.fill(
        text,
        width=WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
