"""A cell against a baseline, for `pytest --benchmark --steelyard-baseline REF`.

pytest loads this module in every session: until a baseline is given it imports nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from steelyard.gate.running import Order
    from steelyard.gate.types import CellResult, Line, Status
    from steelyard.measure import Bench
    from steelyard.plan import PlannedCell, Suite

# Only its form counts where a baseline is looked at before there is a cell.
ANY_MODEL = "model@variant"
FAILS = ("regression", "absent")


class Against:
    """A baseline as it was written, and what cells are set against it with."""

    def __init__(
        self, baseline: str, bench: Bench, folder: Path, cards: tuple[Path, ...], *, fast: bool
    ) -> None:
        self.baseline = baseline
        self.bench = bench
        self.folder = folder
        self.cards = cards
        self.fast = fast

    def judge(self, planned: PlannedCell, suite: Suite) -> tuple[CellResult, ...]:
        """Set one cell against the baseline; raise ArmError where that has no such cell."""
        from steelyard.gate import running
        from steelyard.gate.environments import Site

        bench = self.bench
        site = Site(
            cache=bench.cache, progress=bench.progress, offline=bench.offline, folder=self.folder
        )
        return running.run(self._order(planned, suite), bench, site).cells

    def _order(self, planned: PlannedCell, suite: Suite) -> Order:
        from msgspec import structs

        from steelyard import host
        from steelyard.gate.arms import parse
        from steelyard.gate.gating import Terms, with_looks
        from steelyard.gate.matrix import Asked
        from steelyard.gate.running import Order

        cell = planned.cell
        terms = Terms(host=host.identify(), mode="fast" if self.fast else "blocks")
        return Order(
            baseline=parse(self.baseline, cell.name),
            candidate=parse(cell.name),
            asked=Asked(
                suite=structs.replace(suite, tasks=(cell.task,)),
                cards=self.cards,
                device=cell.device,
            ),
            terms=with_looks(terms, None),
        )


def check(baseline: str) -> str | None:
    """Return what is wrong with a baseline as it is written, or None."""
    from steelyard.errors import OptionError
    from steelyard.gate.arms import parse

    try:
        parse(baseline, ANY_MODEL)
    except OptionError as error:
        return str(error)
    return None


def failure(cell: str, baseline: str, found: tuple[CellResult, ...]) -> str | None:
    """Return why a cell fails against its baseline, in sentences, or None where it does not.

    What could not be measured fails too: it is no pass.
    """
    said = [sentence for one in found for line in one.lines if (sentence := _fails(line))]
    opening = f"{cell} against {baseline}:"
    if not found:
        return f"{opening} nothing was compared"
    return "\n".join([opening, *said]) if said else None


def undecided(cell: str, baseline: str, found: tuple[CellResult, ...]) -> str | None:
    """Return a note on what the planned blocks did not decide, or None."""
    from steelyard.gate.words import sentence

    open_ = [line for one in found for line in one.lines if line.status == "inconclusive"]
    said = "; ".join(map(sentence, open_))
    return f"{cell} against {baseline}: {said}" if said else None


def status(found: tuple[CellResult, ...]) -> Status:
    """Return what all quantities say together."""
    from steelyard.gate.types import worst

    return worst([one.status for one in found])


def facts(found: tuple[CellResult, ...]) -> dict[str, str]:
    """Return what a report of the item is to carry: the verdict, and a sentence a quantity."""
    from steelyard.gate.words import sentence

    lines = {f"gate_{line.quantity}": sentence(line) for one in found for line in one.lines}
    return {"gate": status(found), **lines}


def _fails(line: Line) -> str | None:
    from steelyard.gate.types import counts
    from steelyard.gate.words import sentence

    return sentence(line) if line.status in FAILS and counts(line) else None
