"""Tables for LaTeX papers: booktabs, one a task, in which foreign names stay text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from steelyard.report.notes import legend
from steelyard.report.rows import TaskTable
from steelyard.report.sheet import Sheet, lay_out

# A panel that is wider than the line is made narrower; a narrow one is left as it is.
HEAD = (
    "% Needs \\usepackage{booktabs,graphicx}. Written by steelyard; every name is escaped.\n"
    "% With \\usepackage[T1]{fontenc} too, straight quotes and underscores are those of the font.\n"
    "\\providecommand{\\steelyardfit}[1]{\\setbox0=\\hbox{#1}\\ifdim\\wd0>\\linewidth\n"
    "  \\resizebox{\\linewidth}{!}{\\usebox0}\\else\\usebox0\\fi}\n"
)
# The columns of the second panel, and those that both begin with.
TAKEN = frozenset(("p50", "p99", "memory", "fits in", "energy"))
LEADING = frozenset(("model", "device"))

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
    """Return a table of two panels, what a model answers and what it takes, then its notes."""
    label = f"tab:steelyard-{_UNLABELLED.sub('-', sheet.title.lower()).strip('-')}"
    taken = [place for place, one in enumerate(sheet.columns) if one.title in TAKEN]
    rest = [place for place in range(len(sheet.columns)) if place not in taken]
    leading = [place for place in rest if sheet.columns[place].title in LEADING]
    panels = [rest, [*leading, *taken]] if taken and rest != leading else [[*rest, *taken]]
    lines = [
        r"\begin{table}[!htbp]",
        r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
        rf"\caption{{{escape(sheet.title)}}}",
        rf"\label{{{label}}}",
        r"\par\smallskip",
        "\\par\\medskip\n".join(_panel(sheet, panel) for panel in panels),
        r"\end{table}",
        *_notes_of(sheet, label),
    ]
    return "\n".join(lines) + "\n"


def _panel(sheet: Sheet, places: Sequence[int]) -> str:
    columns = [sheet.columns[place] for place in places]
    kinds = "".join("r" if one.figures else "l" for one in columns)
    body = [
        rf"\steelyardfit{{\begin{{tabular}}{{{kinds}}}",
        r"\toprule",
        _line([one.title for one in columns]),
    ]
    role = None
    for line in sheet.lines:
        if line.role != role:
            body += [r"\midrule", _heading(line.role, len(columns))]
            role = line.role
        body += _lines([line.cells[place] for place in places])
    return "\n".join([*body, r"\bottomrule", r"\end{tabular}}"]) + "\n"


def _heading(role: str, width: int) -> str:
    return rf"\multicolumn{{{width}}}{{l}}{{\itshape {escape(role)}}} \\"


def _lines(cells: Sequence[str]) -> list[str]:
    """Return one line, and under it a smaller one where a cell has two."""
    parts = [cell.partition("\n")[::2] for cell in cells]
    lines = [_line([first for first, _ in parts])]
    if any(second for _, second in parts):
        lines.append(_line([second for _, second in parts], size=r"\scriptsize "))
    return lines


def _notes_of(sheet: Sheet, label: str) -> list[str]:
    """Return a table's verdict and notes; they name it, since a table may float away from them."""
    verdict = [f"verdict: {sheet.verdict}"] if sheet.verdict else []
    told = _notes([*verdict, *sheet.notes])
    head = rf"\par\medskip{{\footnotesize\noindent\textbf{{Table~\ref{{{label}}}:}}\par}}"
    return [head, *told] if told else []


def _notes(notes: Iterable[str]) -> list[str]:
    """Return notes as small paragraphs: inside the table they could outgrow a page."""
    return [rf"{{\footnotesize\noindent {escape(note)}\par}}" for note in notes]


def _line(cells: Iterable[str], size: str = "") -> str:
    # After a line's end or a rule, LaTeX takes a bracket or a star as an argument.
    told = (f"{size}{escape(cell)}" if cell else "" for cell in cells)
    return "{}" + " & ".join(told) + r" \\"
