"""A cell under way: what its passes share, and what stands around the timed ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct, field

from steelyard.api import Answer, Item
from steelyard.evidence import Watch
from steelyard.host.machine import Machine
from steelyard.lookout import Lookout, Watched
from steelyard.measure.findings import Findings
from steelyard.passes import Passes
from steelyard.plan import PlannedCell
from steelyard.prepare.cache import Cache
from steelyard.progress import About, Progress
from steelyard.spawn import Worker
from steelyard.validity import Limits

# Enough texts that none is met twice in a short window, few enough to stay out of the memory pass.
TIMED_ITEMS = 500


class Bench(Struct, frozen=True, kw_only=True):
    """What running cells needs besides the plan. With `fresh` no earlier answer is recalled.

    With `bundled` artefacts are those that a bundle brought.
    """

    cache: Cache
    progress: Progress
    offline: bool = False
    fresh: bool = False
    bundled: bool = False
    worker: Worker = Worker()
    machine: Machine = Machine()
    lookout: Lookout = field(default_factory=Lookout)


class Work(Struct, frozen=True, kw_only=True):
    """What the passes of one cell share. `answers` are those of the accuracy pass, by item."""

    bench: Bench
    passes: Passes
    asked: tuple[Item, ...]
    found: Findings
    answers: dict[str, Answer] = {}

    @property
    def planned(self) -> PlannedCell:
        return self.found.planned

    @property
    def told(self) -> Progress:
        """Progress whose lines begin with the cell."""
        return About(self.bench.progress, self.planned.cell.id)

    @property
    def timed_items(self) -> tuple[Item, ...]:
        """What is timed is one artefact: the items of the first fold."""
        return self.passes.first_fold(self.asked)[:TIMED_ITEMS]


class Stretch(Struct, frozen=True, kw_only=True):
    """A pass to watch: its name, how long it takes in words, what its window may bear."""

    name: str
    takes: str
    limits: Limits | None = None


class Spanned(Protocol):
    """A message about a window, CLOCK_MONOTONIC."""

    @property
    def start_ns(self) -> int: ...

    @property
    def end_ns(self) -> int: ...


def watched(
    work: Work, stretch: Stretch, attempt: Callable[[Watch], None], windows: Sequence[Spanned]
) -> Watched:
    """Do a pass until its window is valid; keep the evidence, and that it never was.

    `attempt` does the pass and fills `windows`, which are empty where it had none.
    """
    progress, name = work.told, stretch.name

    def shown(watch: Watch) -> None:
        with progress.step(f"{name}, {stretch.takes}"):
            attempt(watch)

    def span() -> tuple[int, int] | None:
        return (windows[0].start_ns, windows[-1].end_ns) if windows else None

    seen = work.bench.lookout.until_valid(name, shown, span, stretch.limits, progress)
    work.found.warnings += seen.said
    if seen.evidence is not None:
        work.found.evidence.append(seen.evidence)
    if seen.decision.action == "give_up":
        work.found.invalid.append(f"{name}: {seen.decision.reason}")
    return seen


def compare_answers(work: Work, what: str, pairs: Sequence[tuple[str, str]]) -> None:
    """Warn of answers, as (item, label), that are not those of the accuracy pass."""
    changed = sum(work.answers[item].label != label for item, label in pairs)
    if changed:
        work.found.warn(f"{changed} of {len(pairs)} {what} differ from the accuracy pass")
