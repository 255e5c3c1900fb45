"""The page as its template sees it: words and figures only, nothing left to work out."""

from __future__ import annotations

from msgspec import Struct

from steelyard.claims.types import ClaimResult, Standing


class View(Struct, frozen=True, kw_only=True):
    """What all parts of the page share: frozen, by keyword."""


class Group(View, frozen=True, kw_only=True):
    """The claims of one standing, for the summary on the first screen."""

    standing: Standing
    claims: tuple[ClaimResult, ...]


class Heading(View, frozen=True, kw_only=True):
    """The title of a column of a table, and whether it holds figures."""

    title: str
    figures: bool = True


class Entry(View, frozen=True, kw_only=True):
    """A cell of a table: its lines, and the value it is sorted by (empty: absent, always last)."""

    title: str
    lines: tuple[str, ...]
    value: str = ""
    figures: bool = True


class Line(View, frozen=True, kw_only=True):
    """A row of a task's table; `key` ties it to its points in the plots."""

    key: str
    role: str
    entries: tuple[Entry, ...]


class Grid(View, frozen=True, kw_only=True):
    """A table that can be sorted and filtered."""

    caption: str
    headings: tuple[Heading, ...]
    lines: tuple[Line, ...]
    roles: tuple[str, ...]


class Drawn(View, frozen=True, kw_only=True):
    """A plot: its SVG, rebuilt and harmless, and its sentence."""

    title: str
    sentence: str
    svg: str
    roles: tuple[str, ...]


class Table(View, frozen=True, kw_only=True):
    """A table that is only read, its first column the row's name or group."""

    caption: str
    titles: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


class Judged(View, frozen=True, kw_only=True):
    """A task's verdict."""

    outcome: str
    reason: str
    expected: str
    pairs: Table


class Task(View, frozen=True, kw_only=True):
    """A task's section; `anchor` is ours, never a foreign name."""

    name: str
    anchor: str
    verdict: Judged | None
    plots: tuple[Drawn, ...]
    grid: Grid
    notes: tuple[str, ...]


class Device(View, frozen=True, kw_only=True):
    """A device's section: facts, what the watch saw, warnings."""

    name: str
    anchor: str
    facts: tuple[tuple[str, str], ...]
    evidence: tuple[str, ...]
    warnings: tuple[str, ...]


class Costs(View, frozen=True, kw_only=True):
    """A task's costs: the curves, and what each model costs where."""

    task: str
    plot: Drawn | None
    table: Table


class Run(View, frozen=True, kw_only=True):
    """Where records come from."""

    facts: tuple[tuple[str, str], ...]
    packages: tuple[str, ...]
    hashes: tuple[tuple[str, ...], ...]


class Page(View, frozen=True, kw_only=True):
    """The whole report, its `answer` to the title's question first.

    `scope` is that of most claims; `not_done` goes by its first words.
    """

    title: str
    answer: str
    subject: tuple[str, ...]
    groups: tuple[Group, ...]
    claims: tuple[ClaimResult, ...]
    scope: str
    not_done: tuple[tuple[str, tuple[str, ...]], ...]
    tasks: tuple[Task, ...]
    costs: tuple[Costs, ...]
    cost_notes: tuple[str, ...]
    learning: tuple[Drawn, ...]
    devices: tuple[Device, ...]
    legend: tuple[str, ...]
    rules: tuple[str, ...]
    not_claimed: tuple[str, ...]
    runs: tuple[Run, ...]
    hash_names: tuple[str, ...]
    version: str
