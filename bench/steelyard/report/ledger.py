"""The claims ledger as lines for a terminal and as Markdown: first what holds, then on what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from steelyard.claims.types import ClaimResult, Ledger, Standing, TaskEvidence
from steelyard.report import markdown, units
from steelyard.report.wrapping import wrapped

ORDER: tuple[Standing, ...] = ("supported", "refuted", "undecided", "not tested")
STYLES: dict[Standing, str] = {
    "supported": "green",
    "refuted": "red",
    "undecided": "yellow",
    "not tested": "dim",
}
_WIDTH = max(map(len, ORDER))


class Line(Struct, frozen=True, kw_only=True):
    """A line of text, how far it and its continuation are indented, a style it needs not."""

    text: str
    indent: int = 0
    hang: int | None = None
    style: str = ""


def show(ledger: Ledger, console: Console, *, evidence: bool = False) -> None:
    """Print a ledger, each claim's rule and evidence only if asked for."""
    for line in lines(ledger, evidence=evidence):
        if console.is_terminal:
            text = Text(line.text, style=line.style)
            console.print(Padding(text, (0, 0, 0, line.indent)))
        else:
            console.file.write(wrapped(line.text, line.indent, line.hang) + "\n")


def lines(ledger: Ledger, *, evidence: bool) -> Iterator[Line]:
    """Yield the ledger: the standings first, then evidence by task, then what was not done."""
    yield Line(text=summary(ledger), style="bold")
    yield from (Line(text=text) for text in _common_scope(ledger))
    for claim in ledger.claims:
        yield Line(text="")
        said = f"{claim.standing.upper():{_WIDTH}}  {units.clean(claim.statement)}"
        yield Line(text=said, hang=_WIDTH + 2, style=STYLES[claim.standing])
        yield Line(text=units.clean(claim.reason), indent=_WIDTH + 2, hang=_WIDTH + 2)
    if evidence:
        yield Line(text="")
        yield Line(text="Evidence, by task", style="bold")
        for claim in ledger.claims:
            yield from _evidence(claim, named=_common_scope(ledger) == ())
    yield Line(text="")
    yield Line(text="Not done, not tested", style="bold")
    yield from (Line(text=units.clean(text), indent=2) for text in ledger.not_done)


def summary(ledger: Ledger) -> str:
    """Return one line: how many claims stand how."""
    counts = Counter(claim.standing for claim in ledger.claims)
    told = ", ".join(f"{counts[standing]} {standing}" for standing in ORDER if counts[standing])
    claims = "claim" if len(ledger.claims) == 1 else "claims"
    return f"Of {len(ledger.claims)} {claims}: {told}."


def text(ledger: Ledger) -> str:
    """Return a ledger as Markdown, in which foreign names stay text."""
    return "\n".join(_markdown(ledger)) + "\n"


def _common_scope(ledger: Ledger) -> tuple[str, ...]:
    """Return the scope that all claims with evidence share; nothing where they differ."""
    scopes = {claim.scope for claim in ledger.claims if claim.standing != "not tested"}
    return (f"Tested {units.clean(scopes.pop())}.",) if len(scopes) == 1 else ()


def _scopes(ledger: Ledger) -> Iterator[str]:
    """Yield each scope once, with the claims that it is of where they differ."""
    claims: dict[str, list[str]] = {}
    for claim in ledger.claims:
        if claim.standing != "not tested":
            claims.setdefault(claim.scope, []).append(claim.id)
    for scope, ids in claims.items():
        of = f" ({', '.join(ids)})" if len(claims) > 1 else ""
        yield units.clean(f"Tested {scope}{of}.")


def _evidence(claim: ClaimResult, *, named: bool) -> Iterator[Line]:
    yield Line(text="")
    yield Line(text=f"{units.clean(claim.id)}: {claim.standing}", style=STYLES[claim.standing])
    yield Line(text=f"Metric: {units.clean(claim.metric)}", indent=2, style="dim")
    yield Line(text=f"Rule: {units.clean(claim.rule)}", indent=2, style="dim")
    if named and claim.standing != "not tested":
        yield Line(text=f"Scope: {units.clean(claim.scope)}", indent=2)
    if claim.standing == "not tested":
        return
    width = max((len(one.task) for one in claim.tasks), default=0)
    for one in claim.tasks:
        task = f"{units.clean(one.task):{width}}"
        yield Line(text=f"{task}  {one.standing:{_WIDTH}}  {units.clean(one.text)}", indent=2)


def standings(ledger: Ledger) -> str:
    """Return the head of `text` alone: how every claim stands and by what, as Markdown."""
    return "\n".join(_standings(ledger)) + "\n"


def _standings(ledger: Ledger) -> Iterator[str]:
    escape = markdown.escape
    yield f"**{summary(ledger)}**"
    yield ""
    for scope in _scopes(ledger):
        yield from (escape(scope), "")
    yield "| claim | stands | by |"
    yield "| :-- | :-- | :-- |"
    for claim in ledger.claims:
        cells = (claim.statement, claim.standing, claim.reason)
        yield f"| {' | '.join(escape(units.clean(cell)) for cell in cells)} |"


def _markdown(ledger: Ledger) -> Iterator[str]:
    escape = markdown.escape
    yield from _standings(ledger)
    for claim in ledger.claims:
        yield from ("", f"#### {escape(units.clean(claim.id))}: {claim.standing}", "")
        yield f"Metric: {escape(units.clean(claim.metric))}"
        yield ""
        yield f"Rule: {escape(units.clean(claim.rule))}"
        if claim.standing != "not tested":
            yield from ("", f"Scope: {escape(units.clean(claim.scope))}.", "")
            yield from map(_task, claim.tasks)
    if ledger.not_done:
        yield from ("", "#### Not done, not tested", "")
    yield from (f"- {escape(units.clean(said))}" for said in ledger.not_done)


def _task(one: TaskEvidence) -> str:
    said = f"{one.task}: {one.standing}; {one.text}"
    return f"- {markdown.escape(units.clean(said))}"
