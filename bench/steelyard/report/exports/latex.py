"""Tables for LaTeX papers: booktabs, one a task, in which foreign names stay text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from steelyard.report.notes import legend
from steelyard.report.rows import TaskTable
from steelyard.report.sheet import Sheet, lay_out

HEAD = "% Needs \\usepackage{booktabs,graphicx}. Written by steelyard; every name is escaped.\n"

_COMMANDS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    # In TeX's own fonts these print other characters.
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\symbol{34}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    "µ": r"\ensuremath{\mu}",
    "μ": r"\ensuremath{\mu}",
    "±": r"\ensuremath{\pm}",
    "\u00d7": r"\ensuremath{\times}",
}
# Letters that LaTeX knows in every font encoding and with every engine.
_LETTERS = frozenset("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿ")
# Two of them would become a dash or a quotation mark.
_LIGATURE = re.compile(r"([-,])(?=\1)")
_UNLABELLED = re.compile(r"[^a-z0-9]+")


def text(tables: Iterable[TaskTable]) -> str:
    """Return a table a task, its notes under it, and what holds for all of them at the end."""
    shown = list(tables)
    parts = [HEAD, *(_table(lay_out(table, wide=True)) for table in shown)]
    return "\n".join([*parts, *(f"{line}\n" for line in _notes(legend(shown)))])


def escape(foreign: str) -> str:
    """Return text such that LaTeX prints it, whatever it holds.

    A character that not every LaTeX can print is named by its code point.
    """
    return _LIGATURE.sub(r"\1{}", "".join(map(_escaped, foreign)))


def _escaped(character: str) -> str:
    if character in _COMMANDS:
        return _COMMANDS[character]
    if " " <= character <= "~" or character in _LETTERS:
        return character
    return f"[U+{ord(character):04X}]"


def _table(sheet: Sheet) -> str:
    titles = ["role", *(column.title for column in sheet.columns)]
    body = [_line((line.role, *line.flat_cells)) for line in sheet.lines]
    lines = [
        r"\begin{table}",
        r"\centering\footnotesize",
        rf"\caption{{{escape(sheet.title)}}}",
        rf"\label{{tab:steelyard-{_UNLABELLED.sub('-', sheet.title.lower()).strip('-')}}}",
        r"\resizebox{\linewidth}{!}{%",
        rf"\begin{{tabular}}{{ll{'r' * (len(titles) - 2)}}}",
        r"\toprule",
        _line(titles),
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}}",
        r"\end{table}",
        *_notes(sheet.notes),
    ]
    return "\n".join(lines) + "\n"


def _notes(notes: Iterable[str]) -> list[str]:
    """Return notes as small paragraphs: inside the table they could outgrow a page."""
    return [rf"{{\footnotesize\noindent {escape(note)}\par}}" for note in notes]


def _line(cells: Iterable[str]) -> str:
    # After a line's end or a rule, LaTeX takes a bracket or a star as an argument.
    return "{}" + " & ".join(map(escape, cells)) + r" \\"
