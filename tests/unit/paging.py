"""Findings made up for the HTML report, hostile names included, and a reader of what came out."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from msgspec import structs
from tests.unit import claiming
from tests.unit.claiming import LARGE, SMALL, Model

from steelyard import claims, stats, verdict
from steelyard.api import Score
from steelyard.claims import Known
from steelyard.record import Evidence, RunFile
from steelyard.report.html.types import Findings, Plot
from steelyard.report.rows import tables

# What could end a script, an attribute, a comment, a line; hide itself; or run.
HOSTILE = (
    "</script><script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "a\u202egnp.exe\u2066",
    "<!--<svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}&lt;b&gt;",
    "javascript:alert(1)\n\r\x00\x1b[31m",
    "__proto__",
    "n" * 300,
)


def scored(right: int, n: int = 100) -> Score:
    low, high = stats.wilson(right, n)
    return Score(metric="accuracy", value=right / n, n=n, low=low, high=high)


def model(kind: Model, name: str, right: int, **more: Any) -> Model:
    facts = {"scores": (scored(right),), **more}
    return structs.replace(kind, name=name, right=right, more=facts)


def usual_run() -> RunFile:
    return claiming.run([model(SMALL, "tiny", 90), model(LARGE, "huge", 70)])


def hostile_run() -> RunFile:
    """Return a run in which every text that can be foreign is hostile."""
    small = [model(SMALL, name, 90 - i) for i, name in enumerate(HOSTILE)]
    whole = claiming.run([*small, model(LARGE, HOSTILE[0] + "L", 70)], tasks=HOSTILE[:3])
    bad = " ".join(HOSTILE[:6])
    records = [structs.replace(one, warnings=(bad,), reason=bad) for one in whole.records]
    records[0] = structs.replace(records[0], outcome="failed", scores=(), measurements=())
    host = structs.replace(whole.host, cpu=bad, board=bad, flags=(bad,), packages={bad: bad})
    return structs.replace(
        whole, records=tuple(records), host=host, run=bad, suite=bad, device=bad, commit=bad
    )


def findings(*runs: RunFile) -> Findings:
    """Return what is found of runs, judged as the program does it."""
    verdicts = {one.task: one for one in verdict.judge(runs, claiming.load, {})}
    made = tables(runs, claiming.load)
    return Findings(
        tables=tuple(structs.replace(t, verdict=verdicts.get(t.task)) for t in made),
        runs=runs,
        ledger=claims.ledger(verdicts.values(), runs, Known()),
    )


def watched(**changes: Any) -> Evidence:
    return structs.replace(Evidence(window="latency", seconds=10.0, readings=10), **changes)


def no_drawing(_: Plot) -> str:
    """Stand in for a drawn plot."""
    return '<svg class="plot" viewBox="0 0 1 1"></svg>'


class Reader(HTMLParser):
    """Reads a page as a browser's parser does, near enough: elements, attributes, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in self.inside:
            self.inside[self._open].append(data)
        else:
            self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        """Return the attributes of all elements of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]
